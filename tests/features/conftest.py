"""Two accounts, a token of each role, and tokens that stand for nobody."""

from datetime import datetime, timedelta, timezone

import pytest

from hoshu.grpc_door import GrpcDoor
from hoshu.operations import ROLES
from hoshu.rest import Rest
from hoshu.scene import Scene
from hoshu.wait import until


@pytest.fixture
def scene(rest):
    return Scene(rest)


@pytest.fixture(scope="session")
def tokens(rest):
    """A token of each role in the first account."""
    return {role: rest.create("/tokens", {"name": f"a {role}", "role": role})["token"] for role in ROLES}


@pytest.fixture(scope="session")
def nobodys(platform, rest, tokens):
    """What may be shown in a token's place and lets nobody in: by what it is."""
    soon = datetime.now(timezone.utc) + timedelta(seconds=1)
    made = {
        name: rest.create("/tokens", {"name": name, "role": "ADMIN", **options})
        for name, options in {"expired": {"expiresAt": soon.isoformat()}, "revoked": {}}.items()
    }
    rest.delete(f"/tokens/{made['revoked']['id']}")
    shown = {name: token["token"] for name, token in made.items()}
    for token in shown.values():
        until(lambda token=token: platform.rest(token).send("GET", "/account").status_code == 401, "refused")
    return {**shown, "none": None, "empty": "", "unknown": f"hoshu_{'0' * 64}", "cut short": tokens["ADMIN"][:-1]}


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
