"""A NATS cluster of three, of which one server is lost: `HOSHU_STREAM_REPLICAS=3`."""

import pytest

from faults.posting import posting
from faults.size import POSTS
from hoshu.bus import Bus
from hoshu.roles import Roles, Servers
from hoshu.servers import Postgres, nats_cluster


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


@pytest.mark.parametrize("stream", ["up", "log"])
def test_the_lost_leader_of_a_stream_takes_nothing_along(cluster, roles, rest, stream):
    with posting(roles, rest) as fleet:
        leader = cluster[Bus.of(roles.roles["registry"]).leader(stream)]
        leader.kill()
        fleet.until_more_are_acknowledged(POSTS // 3)
        leader.start()
