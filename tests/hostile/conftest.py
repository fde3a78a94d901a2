"""One `hoshu up` for all attacks, with short patience, and neighbours that must not notice them."""

import os
import random

import pytest
import requests

from hostile.neighbours import Neighbours
from hostile.resident import Resident
from hoshu.platform import running
from hoshu.things import make_boiler

# What a test waits for is short here; else as shipped.
CONNECT_SECONDS = 3
SLOW_SECONDS = 3
SETTINGS = {
    "HOSHU_GATEWAY_CONNECT_SECONDS": str(CONNECT_SECONDS),
    "HOSHU_GATEWAY_SLOW_SECONDS": str(SLOW_SECONDS),
}

# Resident bytes that an attack may cost at its worst moment, unless a test says otherwise.
MEMORY_BYTES = 64 << 20
# Lines that an attack may add to the process's own log.
LOG_LINES = 50
# Far more than an answer takes on a busy machine.
NEIGHBOURS_SECONDS = 30


@pytest.fixture(scope="session")
def platform(tmp_path_factory, request):
    with running(tmp_path_factory.mktemp("hostile"), request.session, **SETTINGS) as house:
        yield house


@pytest.fixture(scope="session")
def rest(platform):
    return platform.rest()


@pytest.fixture(scope="session")
def boilers(rest):
    return make_boiler(rest)


@pytest.fixture(scope="session")
def neighbours(platform, boilers, tmp_path_factory):
    posting = Neighbours(platform, boilers.devices(10), tmp_path_factory.mktemp("neighbours") / "answers")
    yield posting
    posting.stop()


@pytest.fixture(autouse=True)
def bounded(request, platform, neighbours):
    """Whatever a test does costs bounded memory and a few lines of log, and the neighbours are answered."""
    marker = request.node.get_closest_marker("memory")
    limit = marker.args[0] if marker else MEMORY_BYTES
    resident = Resident(platform.process.pid)
    resident.forget_peak()
    before, lines = resident.now(), platform.process.log().count("\n")
    yield
    neighbours.expect_answers(NEIGHBOURS_SECONDS)
    cost = resident.peak() - before
    assert cost <= limit, f"{cost >> 20} MiB resident at the worst moment, of {limit >> 20} allowed"
    written = platform.process.log().splitlines()[lines:]
    # A machine that is busy with other things makes statements slow.
    written = [line for line in written if "target=sqlx" not in line]
    assert len(written) <= LOG_LINES, f"{len(written)} lines of log, the last: {written[-3:]}"
    assert not any("panicked" in line for line in written)


@pytest.fixture
def dice(request):
    """Chance that can be had again: HOSHU_TEST_SEED sets its seed, which a failure prints."""
    seed = int(os.environ.get("HOSHU_TEST_SEED") or random.SystemRandom().getrandbits(32))
    print(f"HOSHU_TEST_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def metric(platform):
    """Reads a counter: all its values whose labels hold a text."""

    def read(name, label=""):
        text = requests.get(f"{platform.ops_url}/metrics", timeout=10).text
        rows = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(name) and label in line]
        return sum(float(value) for _, value in rows)

    return read
