"""One `hoshu up` for all tests that leave it whole."""

import pytest

from hoshu.logs import Logs
from hoshu.mqtt import connect
from hoshu.platform import running
from hoshu.things import make_boiler


@pytest.fixture(scope="session")
def platform(tmp_path_factory, request):
    with running(tmp_path_factory.mktemp("house"), request.session) as house:
        yield house


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
