"""Every operation, in REST and gRPC, with every role, with no valid token and with a foreign one."""

import json

import grpc
import pytest

from hoshu.operations import OPERATIONS, ROLES, as_grpc, as_rest
from hoshu.rest import Rest
from hoshu.scene import Scene

# No answer to a request that is as it should be, whoever asks.
NEVER = [
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT,
]

EVERY_OPERATION = pytest.mark.parametrize("name", OPERATIONS)


def send(rest, routes, name, scene):
    method, template = routes[name]
    path, request = as_rest(method, template, OPERATIONS[name], OPERATIONS[name].request(scene))
    return rest.send(method, path, **request)


def grpc_path(door, name):
    (path,) = [path for path in door.methods_cached() if path.endswith(f"/{name}")]
    return path


def grpc_code(door, name, scene, token):
    """The status with which a call ends."""
    try:
        door.call(grpc_path(door, name), as_grpc(OPERATIONS[name].request(scene)), token)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_every_route_and_every_rpc_is_in_the_table(routes, door):
    assert set(routes) == set(OPERATIONS), "a route without a row here is a route without this test"
    assert {path.rsplit("/")[-1] for path in door.methods_cached()} == set(OPERATIONS)


def test_what_only_services_call_is_nowhere_to_be_seen(door, openapi):
    assert not [name for name in door.services() if ".internal." in name or ".bus." in name]
    assert "ClaimSession" not in json.dumps(openapi)
    call = door.channel.unary_unary("/hoshu.registry.internal.v1.SessionService/ClaimSession")
    with pytest.raises(grpc.RpcError) as refused:
        call(b"", timeout=30)
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


@EVERY_OPERATION
def test_without_a_valid_token_nothing_is_told(platform, routes, door, scene, nobodys, name):
    for what, token in nobodys.items():
        response = send(Rest(platform.url, token), routes, name, scene)
        assert response.status_code == 401, f"{what}: {response.text}"
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert grpc_code(door, name, scene, token) == grpc.StatusCode.UNAUTHENTICATED, what


@EVERY_OPERATION
def test_a_role_may_do_what_it_may_and_no_more(platform, rest, routes, door, tokens, name):
    needed = ROLES.index(OPERATIONS[name].role)
    for rank, role in enumerate(ROLES):
        response = send(Rest(platform.url, tokens[role]), routes, name, Scene(rest))
        assert response.status_code not in (401, 404) and response.status_code < 500, response.text
        assert (response.status_code == 403) == (rank < needed), f"REST: {role} on {name}: {response.text}"
        code = grpc_code(door, name, Scene(rest), tokens[role])
        assert code not in NEVER
        assert (code == grpc.StatusCode.PERMISSION_DENIED) == (rank < needed), f"gRPC: {role} on {name}: {code}"


@EVERY_OPERATION
def test_another_accounts_token_finds_nothing(platform, rest, routes, door, foreign, scene, name):
    response = send(foreign, routes, name, scene)
    code = grpc_code(door, name, scene, foreign.token)
    if OPERATIONS[name].names_object:
        assert response.status_code == 404, response.text
        assert code == grpc.StatusCode.NOT_FOUND
        assert "Renamed" not in rest.get(scene.product.path)["name"]
        assert scene.device.status == "INACTIVE", "nothing was done"
    else:
        assert response.status_code < 300, response.text
        ours = [scene.product.product_key, scene.empty.product_key, scene.user_id, scene.token_id]
        for text in ours:
            assert text not in response.text, f"{name} shows another account's {text}"
        if name.startswith("List"):
            answer = door.call(grpc_path(door, name), {}, foreign.token)
            assert not any(text in str(answer) for text in ours)


def test_the_foreign_account_is_whole_for_itself(foreign):
    assert foreign.get("/account")["name"] == "Neighbours"
    made = foreign.create("/products", {"name": "Theirs", "nodeType": "DEVICE", "dataFormat": "ALINK_JSON", "edition": "PRO"})
    assert made["productKey"] in [product["productKey"] for product in foreign.items("/products")]
