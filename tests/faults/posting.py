"""What every fault happens in the midst of."""

from contextlib import contextmanager

from faults.fleet import Fleet
from faults.ledger import Ledger
from faults.size import POSTS


@contextmanager
def posting(roles, rest, reconnects=0):
    """Devices post and are told before, during and after what the test does; afterwards all is as it must be, and
    none of them had to connect again more often than that."""
    fleet = Fleet(roles, rest)
    try:
        fleet.until_acknowledged(POSTS // 3)
        yield fleet
        fleet.until_more_are_acknowledged(POSTS // 3)
        fleet.until_acknowledged(POSTS)
        fleet.end_commands()
        fleet.until_all_are("ONLINE")
    finally:
        fleet.stop()
    Ledger(fleet).settle()
    fleet.until_all_are("OFFLINE")
    most = max(poster.connections for poster in fleet.posters)
    assert most <= 1 + reconnects, f"a device had to connect {most} times"
