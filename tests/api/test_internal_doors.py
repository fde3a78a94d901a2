"""The doors that services open to each other, and their store: nobody else is let in, whatever is asked."""

import subprocess
from importlib.resources import files
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

from hoshu.mqtt import connect
from hoshu.roles import NOUNS, Roles
from hoshu.things import make_boiler
from hoshu.wait import until

PROTO = Path(__file__).parents[2] / "proto"


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


@pytest.fixture(scope="module")
def methods(tmp_path_factory):
    """Every RPC of the contract, also what only services call: `/package.Service/Method`."""
    out = tmp_path_factory.mktemp("proto") / "descriptors.bin"
    sources = [str(path.relative_to(PROTO)) for path in sorted(PROTO.rglob("*.proto"))]
    known = files("grpc_tools") / "_proto"
    assert protoc.main(["protoc", f"-I{PROTO}", f"-I{known}", f"--descriptor_set_out={out}", *sources]) == 0
    contract = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    found = [
        f"/{file.package}.{service.name}/{method.name}"
        for file in contract.file
        for service in file.service
        for method in service.method
    ]
    assert any(".internal." in path for path in found) and len(found) > 30
    return found


def answers(role, methods, metadata):
    with grpc.insecure_channel(f"127.0.0.1:{role.grpc_port}") as channel:
        for path in methods:
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary(path)(b"", metadata=metadata, timeout=30)
            yield path, refused.value.code()


def test_without_the_houses_token_no_role_answers_another(roles, rest, methods):
    account = rest.get("/account")["id"]
    caller = [("hoshu-account", account), ("hoshu-actor-bin", b"admin/first")]
    strangers = {
        "nothing": caller,
        "a wrong token": [*caller, ("hoshu-internal-token", "0" * 32)],
        "an administrator's token": [*caller, ("authorization", f"Bearer {rest.token}")],
        "an administrator's token in the house's place": [*caller, ("hoshu-internal-token", rest.token)],
    }
    # The gateway is asked nothing; the api's door is the public one.
    for role in (roles.roles[name] for name in ("registry", "tsl-validation", "device-log")):
        for shown, metadata in strangers.items():
            for path, code in answers(role, methods, metadata):
                assert code == grpc.StatusCode.UNAUTHENTICATED, f"{role.name} answers {path} to {shown}: {code}"


def test_whom_an_api_asks_for_is_its_own_word_alone(roles, rest, methods):
    """A stranger's headers name no account at the public door, and what only services call is not there."""
    token = roles.roles["api"].process.settings["HOSHU_INTERNAL_TOKEN"]
    metadata = [("hoshu-account", rest.get("/account")["id"]), ("hoshu-actor-bin", b"me"), ("hoshu-internal-token", token)]
    for path, code in answers(roles.roles["api"], methods, metadata):
        internal = ".internal." in path
        assert code == (grpc.StatusCode.UNIMPLEMENTED if internal else grpc.StatusCode.UNAUTHENTICATED), path


def test_what_is_refused_is_told_however_long_the_request_was(roles, rest):
    """A refusal travels between services in headers, which have less room than a request."""
    product = make_boiler(rest)
    device = product.device()
    for size in (100, 8_000, 60_000):
        name = "x" * size
        for path in (f"/products/{name}", f"/products/{name}/tsl", f"/products/{name}/logs", f"/users/{name}"):
            rest.refused("GET", path, 404)
        rest.refused("GET", f"{product.path}/devices/{name}", 404)
        rest.refused("POST", f"{product.path}/devices", 400, body={"deviceName": name})
    many = {f"unknown_{number}_{'x' * 40}": 1 for number in range(1_000)}
    with connect(roles, device):
        until(lambda: device.status == "ONLINE", "online")
        for method, path, body in (
            ("POST", f"{product.path}/device-batches", {"deviceNames": ["same name"] * 10_000}),
            ("PUT", f"{product.path}/tsl", {"properties": [{"identifier": name} for name in many]}),
            ("POST", f"{device.path}/properties", {"params": many}),
        ):
            response = rest.send(method, path, body=body)
            assert response.status_code == 400, f"{path}: {response.text}"
            assert len(response.json()["errors"]) > 20
            assert response.json()["errors"][-1]["message"] == "there are more faults"


def test_no_services_login_can_use_another_services_tables(roles):
    for name, noun in NOUNS.items():
        url = roles.roles[name].process.settings["HOSHU_DATABASE_URL"]
        usable = "SELECT nspname FROM pg_namespace WHERE nspname = ANY($${%s}$$) AND has_schema_privilege(oid, 'USAGE')"
        psql = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", url, "--command", usable % ",".join(NOUNS.values())]
        found = subprocess.run(psql, check=True, capture_output=True, text=True, timeout=60).stdout.split()
        assert found == [noun], name
