"""What is secret stands in clear nowhere: not in logs, traces, metrics, answers, stores or command lines."""

import base64
import re
import secrets
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import pytest
import requests

from hoshu.background import in_background
from hoshu.credentials import credentials
from hoshu.grpc_door import GrpcDoor
from hoshu.mqtt import V5, Connection, Refused, connect
from hoshu.platform import Platform
from hoshu.process import children_of
from hoshu.rest import Rest
from hoshu.roles import Roles
from hoshu.things import Device, Product, make_boiler
from hoshu.wait import until
from api.otlp import Collector

# All that any library would say of itself.
LOG = {"HOSHU_LOG": "trace"}


@dataclass
class House:
    """A running platform, the secrets that it knows, and where they could show."""

    doors: Platform | Roles
    rest: Rest
    processes: list
    ops_urls: list
    grpc_target: str
    database_url: str
    collector: Collector
    secrets: dict
    # Where it keeps its streams, if they are its own.
    stream_folder: Path | None = None
    product: Product | None = None
    device: Device | None = None
    # What it answered where an answer must not show a secret.
    answers: list = field(default_factory=list)

    def ask(self, method, path, token=None, **request):
        response = Rest(self.rest.url, token).send(method, path, **request)
        self.answers.append(f"{response.status_code} {response.headers} {response.text}")
        return response


def hoshu_up(folder, collector):
    known = {
        "the master key": secrets.token_hex(32),
        "the internal token": secrets.token_hex(16),
        "the administrator's token": f"hoshu_{secrets.token_hex(32)}",
        "the database's password": secrets.token_hex(16),
    }
    names = ["MASTER_KEY", "INTERNAL_TOKEN", "ADMIN_TOKEN", "DATABASE_PASSWORD"]
    given = {f"HOSHU_{name}": value for name, value in zip(names, known.values())}
    platform = Platform(folder, **LOG, **collector.settings, **given).start()
    nats = (platform.data / "nats/nats.conf").read_text()
    known["NATS's password"] = nats.partition('password: "')[2].partition('"')[0]
    return House(
        doors=platform,
        rest=Rest(platform.url, known["the administrator's token"]),
        processes=[platform.process],
        ops_urls=[platform.ops_url],
        grpc_target=platform.grpc_target,
        database_url=f"postgres://postgres@/postgres?host={platform.data}/postgres",
        collector=collector,
        secrets=known,
        stream_folder=platform.data / "nats/jetstream",
    )


def roles_apart(folder, collector):
    roles = Roles(folder, **LOG, **collector.settings).start()
    given = roles.roles["registry"].process.settings
    rest = roles.rest()
    return House(
        doors=roles,
        rest=rest,
        processes=[role.process for role in roles.roles.values()],
        ops_urls=[f"http://127.0.0.1:{role.ops_port}" for role in roles.roles.values()],
        grpc_target=f"127.0.0.1:{roles.roles['api'].grpc_port}",
        database_url=roles.database_url,
        collector=collector,
        secrets={
            "the master key": given["HOSHU_MASTER_KEY"],
            "the internal token": given["HOSHU_INTERNAL_TOKEN"],
            "an account's first token": rest.token,
            "the database's password": urlsplit(given["HOSHU_DATABASE_URL"]).password,
        },
    )


@pytest.fixture(scope="module", params=[hoshu_up, roles_apart])
def house(request, tmp_path_factory):
    """The platform after right use and wrong."""
    with Collector() as collector:
        house = request.param(tmp_path_factory.mktemp("house"), collector)
        try:
            people(house)
            devices(house)
            mistakes(house)
            yield house
        finally:
            house.doors.stop()


def people(house):
    """Secrets are shown once, to who made them."""
    made = house.rest.create("/tokens", {"name": "program", "role": "ADMIN"})
    house.secrets["a token"] = made["token"]
    house.secrets["a revoked token"] = house.rest.create("/tokens", {"name": "old", "role": "VIEWER"})["token"]
    revoked = [token for token in house.rest.items("/tokens") if token["name"] == "old"]
    house.rest.delete(f"/tokens/{revoked[0]['id']}")
    house.product = make_boiler(house.rest)
    house.secrets["a product's secret"] = house.product.answer["productSecret"]
    house.device = house.product.device()
    house.secrets["a device's secret"] = house.device.device_secret
    other = house.product.device()
    house.secrets["a replaced secret"] = other.device_secret
    house.secrets["a new secret"] = house.rest.post(f"{other.path}/reset-secret")["deviceSecret"]
    batch = house.product.devices(2)
    house.secrets["a batch's secret"] = batch[1].device_secret
    for path in ("/account", "/users", "/tokens", "/products", f"{house.product.path}/devices", house.device.path):
        house.ask("GET", path, made["token"])


def devices(house):
    shown = credentials(house.device)
    house.secrets["a device's signature"] = shown.password
    for options in ({}, {"tls": True}, {"version": V5}):
        with connect(house.doors, house.device, **options) as connection:
            connection.ask(house.device.topic("thing/event/property/post"), {"mode": 1})
    with connect(house.doors, house.device) as connection:
        topic = house.device.topic("thing/service/property/set")
        connection.subscribe(topic)
        asked = in_background(house.rest.post, f"{house.device.path}/properties", {"params": {"mode": 1}})
        connection.receive()
        connection.publish(f"{topic}_reply", {"id": "1", "code": 200, "data": {}})
        asked.result(30)


def mistakes(house):
    """Secrets where they do not belong, as it happens to people."""
    token = house.secrets["a token"]
    mistyped = house.secrets["a mistyped token"] = f"hoshu_{secrets.token_hex(32)}"
    house.ask("GET", "/account", mistyped)
    for query in ({"token": token}, {"access_token": token}, {"pageToken": token}, {"pageSize": token}):
        house.ask("GET", "/users", query=query)
        house.ask("GET", "/users", token, query=query)
    basic = base64.b64encode(f"admin:{token}".encode()).decode()
    house.secrets["a token as a password"] = basic
    for header in (f"Basic {basic}", token, f"Token {token}"):
        house.ask("GET", "/account", headers={"Authorization": header})
    # In the place of every id, of every parameter and of every member of a body.
    for path, methods in house.rest.get("/api/openapi.json")["paths"].items():
        for method, about in methods.items():
            names = [one["name"] for one in about["parameters"] if one["in"] == "query"]
            body = about.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            house.ask(
                method.upper(),
                re.sub(r"\{\w+\}", token, path),
                token,
                query=dict.fromkeys(names, token),
                body=dict.fromkeys(body.get("properties", {}), token) if body else None,
            )
    with pytest.raises(grpc.RpcError) as refused:
        GrpcDoor(house.grpc_target).call("/hoshu.account.v1.AccountService/DeleteToken", {"id": token}, token)
    house.answers.append(str(refused.value))
    # The secret itself where its signature belongs.
    for password in (house.device.device_secret, token):
        with pytest.raises(Refused):
            Connection(house.doors.mqtt_port, replace(credentials(house.device), password=password))


def forms(secret):
    """How a text may show in what is not text."""
    raw = secret.encode()
    return [raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")]


def holds_no_secret(house, content):
    """Fails with each secret that stands in there, and what stands before it."""
    if isinstance(content, str):
        content = content.encode()
    found = [
        f"{name}: …{content[max(0, at - 300) : at].decode(errors='replace')}"
        for name, secret in house.secrets.items()
        for form in forms(secret)
        if (at := content.find(form)) >= 0
    ]
    assert not found, "\n".join(found)


def test_no_log_shows_a_secret(house):
    for process in house.processes:
        lines = process.log_file.read_bytes().splitlines(keepends=True)
        # What `hoshu up` says when it is ready is for who started it, and no line of its log.
        holds_no_secret(house, b"".join(line for line in lines if not line.startswith(b"  Token ")))


def test_no_trace_shows_a_secret(house):
    traces = house.collector.received["traces"]
    # What was asked last has been exported, and so all before it.
    trace = house.ask("GET", "/account", house.rest.token).headers["X-Request-Id"]
    until(lambda: any(bytes.fromhex(trace) in export for export in traces), "the last trace")
    holds_no_secret(house, b"\n".join(traces))


def test_no_metric_shows_a_secret(house):
    for url in house.ops_urls:
        for path in ("/metrics", "/readyz", "/livez"):
            holds_no_secret(house, requests.get(url + path, timeout=30).content)
    exports = until(lambda: house.collector.received["metrics"], "metrics")
    holds_no_secret(house, b"\n".join(exports))


def test_no_answer_but_the_first_shows_a_secret(house):
    holds_no_secret(house, "\n".join(house.answers))


def test_neither_audit_trail_nor_device_log_shows_a_secret(house):
    for path in ("/audit", f"{house.product.path}/logs"):
        entries = until(lambda path=path: list(house.rest.items(path)), f"something in {path}")
        holds_no_secret(house, str(entries))


def test_no_store_holds_a_secret_in_clear(house):
    dump = subprocess.run(["pg_dump", "--inserts", house.database_url], capture_output=True, timeout=120, check=True).stdout
    assert b"INSERT INTO api.token" in dump and b"INSERT INTO registry.device" in dump
    holds_no_secret(house, dump)
    if house.stream_folder is not None:
        for file in house.stream_folder.rglob("*"):
            if file.is_file():
                holds_no_secret(house, file.read_bytes())


def test_no_command_line_shows_a_secret(house):
    for process in house.processes:
        for pid in (process.pid, *children_of(process.pid)):
            holds_no_secret(house, Path(f"/proc/{pid}/cmdline").read_bytes())
