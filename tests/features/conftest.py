"""Two accounts, and a token of each role."""

import pytest

from hoshu.grpc_door import GrpcDoor
from hoshu.operations import ROLES
from hoshu.rest import Rest
from hoshu.scene import Scene


@pytest.fixture
def scene(rest):
    return Scene(rest)


@pytest.fixture(scope="session")
def tokens(rest):
    """A token of each role in the first account."""
    return {role: rest.create("/tokens", {"name": f"a {role}", "role": role})["token"] for role in ROLES}


@pytest.fixture(scope="session")
def foreign(platform):
    """REST with an ADMIN token of another account."""
    return platform.rest(platform.create_account("Neighbours"))


@pytest.fixture(scope="session")
def door(platform):
    """gRPC, by reflection."""
    return GrpcDoor(platform.grpc_target)


@pytest.fixture(scope="session")
def openapi(platform):
    """The OpenAPI document, which needs no token."""
    return Rest(platform.url).get("/api/openapi.json")


@pytest.fixture(scope="session")
def routes(openapi):
    """Each operation's HTTP method and path, by its name."""
    return {
        about["operationId"]: (method.upper(), path)
        for path, methods in openapi["paths"].items()
        for method, about in methods.items()
    }
