"""Each process of a house with two of each role replaced in turn, as an orchestrator does it.

`HOSHU_PREVIOUS_BINARY` names the release that is replaced, so that two run side by side meanwhile;
without it this one is: a rolling restart.
"""

from faults.house import House
from faults.posting import posting
from hoshu.process import BINARY, PREVIOUS_BINARY


def test_a_rolling_change_loses_nothing_and_costs_a_device_two_reconnects_at_most(tmp_path):
    house = House(tmp_path, pods=2, program=(PREVIOUS_BINARY,))
    try:
        # Both gateways go, one after the other.
        with posting(house.roles, house.roles.rest(), reconnects=2):
            for role in house.roles.roles.values():
                assert role.process.terminate() == 0
                role.process.program = (BINARY,)
                role.start()
    finally:
        house.stop()
