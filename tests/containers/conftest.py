"""The platform as docker-compose.yml starts it."""

import pytest

from containers.compose import Compose
from containers.events import Events
from hoshu.things import make_boiler


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    house = Compose(tmp_path_factory.mktemp("compose"))
    house.events = Events(house.project, house.folder / "events")
    try:
        house.up()
        yield house
    finally:
        house.compose("down", "--volumes", "--timeout", "5")
        house.events.close()


@pytest.fixture(scope="session")
def rest(house):
    return house.rest()


@pytest.fixture(scope="session")
def boilers(rest):
    return make_boiler(rest)
