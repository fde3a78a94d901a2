"""Each role killed in turn while devices post: nothing acknowledged is lost or doubled."""

from collections import Counter, defaultdict

import pytest

from faults.fleet import Fleet
from hoshu.logs import Logs
from hoshu.model import boiler
from hoshu.roles import NOUNS
from hoshu.things import make_product
from hoshu.wait import until

DEVICES = 20
# Posts that must be acknowledged before a role is killed, and after it is back.
POSTS = 200


@pytest.fixture(scope="module")
def runs():
    """Each run's logs, and what was acknowledged in it."""
    return []


def more_are_acknowledged(fleet, count):
    wanted = fleet.acknowledged() + count
    until(lambda: fleet.acknowledged() >= wanted, lambda: f"{wanted} posts acknowledged, but {fleet.acknowledged()}", 60)


@pytest.mark.parametrize("victim", NOUNS)
def test_a_killed_role_loses_and_doubles_nothing_that_was_acknowledged(roles, rest, runs, victim):
    product = make_product(rest, boiler())
    logs = Logs(product)
    fleet = Fleet(roles, product.devices(DEVICES))
    role = roles.roles[victim]
    try:
        more_are_acknowledged(fleet, POSTS)
        role.process.kill()
        role.process.start()
        role.wait_until_ready()
        more_are_acknowledged(fleet, POSTS)
    finally:
        acknowledged = fleet.stop()
    assert len(set(acknowledged)) == len(acknowledged)

    runs.append((logs, acknowledged))

    def missing():
        known = {line["detail"]["id"] for line in logs.lines(type="TSL")}
        return [own_id for own_id in acknowledged if own_id not in known]

    until(
        lambda: not missing(),
        lambda: f"lines of all {len(acknowledged)} posts, but {len(missing())} miss: {missing()[:5]}",
        within=60,
    )
    each_message_has_its_lines_once(logs, acknowledged)
    for poster in fleet.posters:
        last = int(poster.acknowledged[-1].split()[-1])
        until(
            lambda device=poster.device, last=last: device.properties().get("cycles", 0) >= last,
            f"the last value of {poster.device}",
        )


def test_nor_does_anything_come_twice_later(runs):
    """What a killed role had taken and not given back is delivered again after a while."""
    assert len(runs) == len(NOUNS)
    for logs, acknowledged in runs:
        each_message_has_its_lines_once(logs, acknowledged)


def each_message_has_its_lines_once(logs, acknowledged):
    lines = logs.lines(type=["UPSTREAM", "DOWNSTREAM", "TSL"])
    kinds = defaultdict(Counter)
    for line in lines:
        kinds[line["messageId"]][line["type"]] += 1
    for message_id, found in kinds.items():
        # Its reply has a line if there was one; a killed gateway may have taken it along.
        assert found["UPSTREAM"] == found["TSL"] == 1 and found["DOWNSTREAM"] <= 1, (message_id, found)
    own_ids = Counter(line["detail"]["id"] for line in lines if line["type"] == "TSL")
    assert set(acknowledged) <= set(own_ids)
    assert max(own_ids.values()) == 1, "a post became two messages"
