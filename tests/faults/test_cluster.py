"""A NATS cluster of three, of which one server is lost: `HOSHU_STREAM_REPLICAS=3`."""

import pytest

from faults.fleet import Fleet
from faults.ledger import Ledger
from faults.size import DEVICES, POSTS
from hoshu.bus import Bus
from hoshu.model import boiler
from hoshu.roles import Roles, Servers
from hoshu.servers import Postgres, nats_cluster
from hoshu.things import make_product


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    servers = nats_cluster(tmp_path_factory.mktemp("cluster"))
    try:
        for server in servers:
            server.process.start()
        for server in servers:
            server.wait_until_ready()
        yield {server.name: server for server in servers}
    finally:
        for server in servers:
            server.stop()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def roles(cluster, postgres, tmp_path_factory):
    first = next(iter(cluster.values()))
    servers = Servers(first.url, postgres.url)
    house = Roles(tmp_path_factory.mktemp("roles"), servers, HOSHU_STREAM_REPLICAS="3")
    try:
        yield house.start()
    finally:
        house.stop()


@pytest.mark.parametrize("whose", ["up", "log"])
def test_the_lost_leader_of_a_stream_takes_nothing_along(cluster, roles, rest, whose):
    product = make_product(rest, boiler())
    fleet = Fleet(roles, rest, product.devices(DEVICES))
    try:
        fleet.until_acknowledged(POSTS // 3)
        leader = cluster[Bus.of(roles.roles["registry"]).leader(whose)]
        leader.kill()
        fleet.until_more_are_acknowledged(POSTS // 3)
        leader.start()
        fleet.until_acknowledged(POSTS)
        fleet.end_commands()
    finally:
        fleet.stop()
    Ledger(product, fleet).settle()
    assert {poster.connections for poster in fleet.posters} == {1}
