"""Each part killed, stopped and cut off in turn."""

import pytest

from faults.house import House
from faults.ledger import Ledger
from faults.posting import posting
from hoshu.roles import NOUNS

PARTS = [*NOUNS, "nats", "postgres"]
# By how many there are of each role.
CASES = [
    (pods, fault, part)
    for pods in (1, 2)
    for fault in (House.killed, House.stopped, House.cut_off, House.away)
    for part in PARTS
    if fault is not House.away or part == "postgres"
]
# Those of every run: the others are left to `make test-faults`.
ALWAYS = [
    *((1, House.killed, part) for part in PARTS),
    (1, House.cut_off, "gateway"),
    (1, House.cut_off, "postgres"),
    (2, House.killed, "registry"),
    (2, House.killed, "gateway"),
    (2, House.stopped, "tsl-validation"),
]


def case(pods, fault, part):
    marks = [] if (pods, fault, part) in ALWAYS else [pytest.mark.long]
    return pytest.param(pods, fault, part, marks=marks, id=f"{part}-{fault.__name__}-of-{pods}")


@pytest.fixture(scope="module")
def house(request, tmp_path_factory):
    house = House(tmp_path_factory.mktemp("house"), pods=request.param)
    yield house
    house.stop()


@pytest.fixture(scope="module")
def rest(house):
    return house.roles.rest()


@pytest.fixture(scope="module")
def fleets(house):
    """Of all cases: what a part had taken and not given back comes again after a while, and must do no harm then."""
    fleets = []
    yield fleets
    assert [wrong for fleet in fleets for wrong in Ledger(fleet).wrong()] == []


@pytest.mark.parametrize("house, fault, part", [case(*one) for one in CASES], indirect=["house"])
def test_nothing_acknowledged_is_lost_or_doubled_and_every_command_ends_in_a_true_answer(house, rest, fleets, fault, part):
    with posting(house.roles, rest, reconnects=part == "gateway") as fleet:
        fault(house, part)
        house.wait_until_ready()
    fleets.append(fleet)
