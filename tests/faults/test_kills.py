"""Each role killed in turn while devices post: nothing acknowledged is lost or doubled."""

from collections import Counter, defaultdict

import pytest

from faults.fleet import Fleet
from hoshu.logs import Logs
from hoshu.model import boiler
from hoshu.roles import NOUNS, Roles
from hoshu.things import make_product
from hoshu.wait import until

DEVICES = 20
# Posts that must be acknowledged before a role is killed, and after it is back.
POSTS = 200


@pytest.fixture(scope="module")
def roles(tmp_path_factory):
    house = Roles(tmp_path_factory.mktemp("roles"))
    try:
        yield house.start()
    finally:
        house.stop()


@pytest.fixture(scope="module")
def rest(roles):
    return roles.rest()


def more_are_acknowledged(fleet, count):
    wanted = fleet.acknowledged() + count
    until(lambda: fleet.acknowledged() >= wanted, lambda: f"{wanted} posts acknowledged, but {fleet.acknowledged()}", 60)


@pytest.mark.parametrize("victim", NOUNS)
def test_a_killed_role_loses_and_doubles_nothing_that_was_acknowledged(roles, rest, victim):
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

    def missing():
        known = Counter(line["detail"]["id"] for line in logs.lines(type="TSL"))
        return [own_id for own_id in acknowledged if own_id not in known]

    until(lambda: not missing(), lambda: f"lines of all {len(acknowledged)} posts, but {len(missing())} miss: {missing()[:5]}", 60)

    def kinds_by_message():
        found = defaultdict(Counter)
        for line in logs.lines(type=["UPSTREAM", "DOWNSTREAM", "TSL"]):
            found[line["messageId"]][line["type"]] += 1
        return found

    own_ids = {line["messageId"]: line["detail"]["id"] for line in logs.lines(type="TSL")}
    found = kinds_by_message()
    assert Counter(own_ids.values()).most_common(1)[0][1] == 1, "a post became two messages"
    for message_id, kinds in found.items():
        # Its reply has a line if there was one; a killed gateway may have taken it along.
        assert kinds["UPSTREAM"] == kinds["TSL"] == 1 and kinds["DOWNSTREAM"] <= 1, (message_id, kinds)
    assert set(acknowledged) <= set(own_ids.values())
    for poster in fleet.posters:
        last = int(poster.acknowledged[-1].split()[-1])
        until(lambda p=poster, n=last: p.device.properties().get("cycles", 0) >= n, f"the last value of {poster.device}")
