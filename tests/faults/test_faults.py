"""Each part killed, stopped and cut off in turn."""

import pytest

from faults.house import House
from faults.ledger import Ledger
from faults.posting import posting
from hoshu.roles import NOUNS

SERVERS = ["nats", "postgres"]
CASES = [
    *((House.killed, part) for part in [*NOUNS, *SERVERS]),
    *((House.stopped, part) for part in [*NOUNS, *SERVERS]),
    *((House.cut_off, part) for part in [*NOUNS, *SERVERS]),
    (House.away, "postgres"),
]
# The others are left to `make test-faults`: each costs half a minute.
STOPPED_ALWAYS = {"gateway", "tsl-validation"}


def case(fault, part):
    marks = [pytest.mark.long] if fault is House.stopped and part not in STOPPED_ALWAYS else []
    return pytest.param(fault, part, id=f"{part}-{fault.__name__}", marks=marks)


@pytest.fixture(scope="module", params=[1, 2], ids=["one-of-each", "two-of-each"])
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


@pytest.mark.parametrize("fault, part", [case(*one) for one in CASES])
def test_nothing_acknowledged_is_lost_or_doubled_and_every_command_ends_in_a_true_answer(house, rest, fleets, fault, part):
    with posting(house.roles, rest, reconnects=part == "gateway") as fleet:
        fault(house, part)
        house.wait_until_ready()
    fleets.append(fleet)
