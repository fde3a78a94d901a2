"""A gateway dies, and all its devices come back at the same moment."""

import os
import statistics
import time
from collections import Counter

import pytest

from faults.storm import Storm
from hoshu.credentials import credentials
from hoshu.mqtt import Connection
from hoshu.things import make_product
from hoshu.wait import until

# HOSHU_STORM_DEVICES=10000 is the long form.
DEVICES = int(os.environ.get("HOSHU_STORM_DEVICES", 1000))
# From the moment when the gateway can be reached again: for who waits longest to try, and their turn.
BACK_SECONDS = 60 + DEVICES / 100
BATCH = 10_000
# As MQTT 5 tells it; a gateway that is not ready yet may say so (0x88).
TOO_MANY_ATTEMPTS = 0x97


@pytest.fixture
def storm(roles, rest, tmp_path):
    product = make_product(rest, edition="BASIC")
    devices = [one for start in range(0, DEVICES, BATCH) for one in product.devices(min(BATCH, DEVICES - start))]
    coming = Storm(roles.mqtt_port, devices, tmp_path)
    try:
        yield product, coming
    finally:
        coming.stop()


def test_all_devices_of_a_killed_gateway_come_back_in_time_and_none_is_turned_away(roles, rest, storm):
    product, coming = storm
    until(lambda: coming.inside() == DEVICES, lambda: f"all in, but {coming.inside()}", 60 + DEVICES / 50, every=0.5)
    # One that stays away shows when the dead gateway's sessions are ended.
    straggler = product.device()
    lost = Connection(roles.mqtt_port, credentials(straggler))
    until(lambda: straggler.status == "ONLINE", "online")

    gateway = roles.roles["gateway"]
    killed = time.monotonic()
    gateway.process.kill()
    gateway.process.start()
    gateway.wait_until_ready()
    there = time.monotonic()
    until(
        lambda: coming.inside(killed) == DEVICES,
        lambda: f"all {DEVICES} back, but {coming.inside(killed)} since {killed}: {coming.outside(killed)}",
        BACK_SECONDS,
        every=0.5,
    )
    happened = coming.events(killed)
    words = Counter(" ".join(one[1:]) for events in happened.values() for one in events)
    assert f"refused {TOO_MANY_ATTEMPTS}" not in words, f"turned away for coming back: {words}"
    back = sorted(events[-1][0] - there for events in happened.values())
    print(
        f"storm: {DEVICES} devices; the gateway was there again after {there - killed:.1f} s; "
        f"half of them back {statistics.median(back):.1f} s after that, 99 % {back[int(DEVICES * 0.99)]:.1f} s, all {back[-1]:.1f} s; {dict(words)}"
    )

    for role in roles.roles.values():
        assert role.is_ready(), f"{role.name} is not ready after the storm"
    until(lambda: straggler.status == "OFFLINE", "the one that stayed away offline", 60)
    online = sum(1 for _ in rest.items(f"{product.path}/devices", status="ONLINE"))
    assert online == DEVICES, "who has come back is not offline with those who have not"
    lost.leave()
