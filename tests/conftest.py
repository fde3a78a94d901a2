"""One `hoshu up` for all tests that leave it whole."""

import shutil

import pytest

from hoshu.logs import Logs
from hoshu.mqtt import connect
from hoshu.platform import Platform
from hoshu.things import make_boiler


@pytest.fixture(scope="session")
def platform(tmp_path_factory, request):
    house = Platform(tmp_path_factory.mktemp("house"))
    try:
        house.start()
        yield house
    finally:
        if house.process.has_ended:
            pytest.exit(f"hoshu up ended by itself:\n{house.process.log()[-8000:]}", returncode=1)
        status = house.stop()
        if request.session.testsfailed:
            print(f"\nthe platform's log: {house.process.log_file}")
        else:
            shutil.rmtree(house.folder)
        assert status == 0, f"hoshu up ended with {status} on SIGTERM"


@pytest.fixture(scope="session")
def rest(platform):
    """REST with the administrator's token."""
    return platform.rest()


@pytest.fixture(scope="session")
def boilers(rest):
    """A product with the boiler's model, for tests that only add devices to it."""
    return make_boiler(rest)


@pytest.fixture
def logs(boilers):
    return Logs(boilers)


@pytest.fixture
def boiler(boilers):
    """A new boiler that was never connected."""
    return boilers.device()


@pytest.fixture
def online(platform, boiler):
    """A connected boiler: the device and its connection."""
    with connect(platform, boiler) as connection:
        yield boiler, connection
