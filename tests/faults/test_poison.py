"""Messages that cannot be handled are set aside, and what comes behind them is not held up."""

import secrets

import pytest

from hoshu.bus import Bus
from hoshu.logs import REPORT_UP, TO_DEVICE, Logs, reported
from hoshu.mqtt import connect
from hoshu.ports import free_port
from hoshu.process import refused, run
from hoshu.things import make_boiler
from hoshu.wait import until

# An unfinished field of every protobuf message.
GARBAGE = b"\x0a\xff"
# What NATS takes at most.
MOST_BYTES = 1 << 20


@pytest.fixture(scope="module")
def boilers(rest):
    return make_boiler(rest)


@pytest.fixture
def parked(roles):
    return Parked(roles.roles["registry"].process.settings)


class Parked:
    """What an operator sees of it."""

    def __init__(self, settings):
        self.settings = settings

    def entries(self):
        """Number to (consumer, subject, size, error)."""
        *entries, last = run(["parked", "list"], self.settings).splitlines()
        assert last.startswith(f"{len(entries)} parked"), last
        return {int(number): rest for number, *rest in (entry.split("\t") for entry in entries)}

    def replay(self, *numbers):
        run(["parked", "replay", *map(str, numbers)], self.settings)


def post(roles, device, own_id=None):
    with connect(roles, device) as connection:
        reply = connection.ask(device.topic("thing/event/property/post"), {"cycles": 1}, request_id=own_id)
        assert reply["code"] == 200


@pytest.mark.parametrize("inbox, subject", [("thing", "up.thing.0"), ("devicelog", "log.0")])
def test_what_no_consumer_can_read_is_parked_and_the_stream_behind_it_flows(roles, boilers, parked, inbox, subject):
    bus = Bus.of(roles.roles["registry"])
    before = set(parked.entries())
    bus.publish(subject, GARBAGE)
    device, own_id = boilers.device(), secrets.token_hex(4)
    post(roles, device, own_id)
    Logs(boilers).expect_of(device, own_id, REPORT_UP, reported(200), TO_DEVICE)

    def new():
        return {number: entry for number, entry in parked.entries().items() if number not in before}

    (number, entry), *others = until(new, "it is parked").items()
    assert not others
    assert entry[0] == inbox and entry[1].endswith(subject) and entry[2] == "2 bytes" and entry[3], entry
    parked.replay(number)
    again = until(lambda: set(new()) - {number}, "nothing was mended: it is parked again")
    assert number not in new() and len(again) == 1


def test_of_what_is_too_large_to_be_parked_the_beginning_is(roles, boilers, parked):
    before = set(parked.entries())
    Bus.of(roles.roles["registry"]).publish("up.thing.0", GARBAGE * (MOST_BYTES // len(GARBAGE)))
    post(roles, boilers.device())
    (number,) = until(lambda: set(parked.entries()) - before, "it is parked")
    assert parked.entries()[number][2] == f"{MOST_BYTES} bytes"
    assert "only the beginning" in refused(["parked", "replay", str(number)], parked.settings)


def test_what_fails_every_time_is_parked_alone_and_handled_when_it_is_replayed_after_the_mend(roles, boilers, parked):
    logs = Logs(boilers)
    poison, well = boilers.device(), boilers.device()
    before = set(parked.entries())
    # What a fault in one device's row would do.
    roles.sql(f"""DO $$ BEGIN EXECUTE format(
        'ALTER TABLE thing.latest ADD CONSTRAINT poison CHECK (device_id <> %s)',
        (SELECT id FROM registry.device WHERE name = '{poison.device_name}')); END $$""")
    with connect(roles, poison) as connection:
        topic = poison.topic("thing/event/property/post")
        for cycles in (1, 2):
            connection.publish(topic, {"id": f"poison {cycles}", "params": {"cycles": cycles}})
        post(roles, well)
        until(lambda: well.properties() == {"cycles": 1}, "who came behind is handled")
        numbers = until(lambda: (new := sorted(set(parked.entries()) - before)) and len(new) == 2 and new, "both are parked")
        assert poison.properties() == {}
        roles.sql("ALTER TABLE thing.latest DROP CONSTRAINT poison")
        parked.replay(*numbers)
        for cycles in (1, 2):
            assert connection.receive()[1]["code"] == 200
    until(lambda: poison.properties() == {"cycles": 2}, "the later value")
    for cycles in (1, 2):
        logs.expect_of(poison, f"poison {cycles}", REPORT_UP, reported(200), TO_DEVICE)
    assert set(parked.entries()) == before


def test_a_nats_that_is_away_is_told_to_who_looks_at_what_is_parked():
    told = refused(["parked", "list"], {"HOSHU_NATS_URL": f"nats://127.0.0.1:{free_port()}"}, within=20)
    assert "HOSHU_NATS_URL" in told
