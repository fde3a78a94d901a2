"""The platform as one process per role."""

import pytest

from hoshu.roles import Roles


@pytest.fixture(scope="module")
def roles(tmp_path_factory):
    house = Roles(tmp_path_factory.mktemp("roles"))
    try:
        yield house.start()
    finally:
        house.stop()


@pytest.fixture(scope="module")
def rest(roles):
    return roles.rest()
