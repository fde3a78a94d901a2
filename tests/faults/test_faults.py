"""Each part killed, stopped and cut off in turn while devices post and are given commands."""

import pytest

from faults.fleet import Fleet
from faults.house import House
from faults.ledger import Ledger
from faults.size import DEVICES, POSTS
from hoshu.model import boiler
from hoshu.roles import NOUNS
from hoshu.things import make_product
from hoshu.wait import until

FAULTS = [House.killed, House.stopped, House.cut_off]
PARTS = [*NOUNS, "nats", "postgres"]


@pytest.fixture(scope="module", params=[1, 2], ids=["one-of-each", "two-of-each"])
def house(request, tmp_path_factory):
    house = House(tmp_path_factory.mktemp("house"), pods=request.param)
    yield house
    house.stop()


@pytest.fixture(scope="module")
def rest(house):
    return house.roles.rest()


@pytest.fixture(scope="module")
def ledgers(house):
    """Of each case so far: what was taken and not given back comes again after a while, and must do no harm."""
    ledgers = []
    yield ledgers
    assert [wrong for ledger in ledgers for wrong in ledger.wrong()] == []


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_nothing_acknowledged_is_lost_or_doubled_and_every_command_ends_in_a_true_answer(house, rest, ledgers, fault, part):
    product = make_product(rest, boiler())
    fleet = Fleet(house.roles, rest, product.devices(DEVICES))
    try:
        fleet.until_acknowledged(POSTS // 3)
        fault(house, part)
        house.wait_until_ready()
        fleet.until_acknowledged(POSTS)
        fleet.until_more_are_acknowledged(POSTS // 3)
        fleet.end_commands()
        all_are(fleet, "ONLINE")
    finally:
        fleet.stop()
    ledger = Ledger(product, fleet)
    ledgers.append(ledger)
    ledger.settle()
    all_are(fleet, "OFFLINE")
    most = 2 if part == "gateway" else 1
    assert {poster.connections for poster in fleet.posters} <= set(range(1, most + 1)), "who needed not connect again did"


def all_are(fleet, status):
    devices = [poster.device for poster in fleet.posters]
    until(
        lambda: all(device.status == status for device in devices),
        lambda: f"all {status}: {[(device.device_name, device.status) for device in devices if device.status != status]}",
    )
