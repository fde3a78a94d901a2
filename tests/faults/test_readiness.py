"""What operators are told of a server that is silent: its connections stand, and nobody answers on them."""

import pytest

from faults.house import House
from hoshu.wait import until


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("house"))
    yield house
    house.stop()


@pytest.mark.parametrize("server, part", [("postgres", "database"), ("nats", "nats")])
def test_every_role_says_which_server_is_silent_and_that_it_is_back(house, server, part):
    def who_does_not_say_so():
        said = {name: role.readiness() for name, role in house.roles.roles.items()}
        return {name: text for name, (ready, text) in said.items() if ready or f".{part}: " not in text}

    house.parts[server].process.freeze()
    try:
        until(lambda: not who_does_not_say_so(), who_does_not_say_so)
    finally:
        house.parts[server].process.thaw()
    house.wait_until_ready()
