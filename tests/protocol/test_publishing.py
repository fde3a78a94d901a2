"""PUBLISH from a device, and its PUBACK (sections 3.3, 3.4 and 4.3)."""

import json

import pytest

from hoshu.credentials import credentials
from hoshu.wait import until
from hoshu.wire import DUP, PUBACK, PUBLISH, SUBACK, enter, field, message, publish, subscribe
from protocol.versions import BOTH


def said(logs, boiler, count):
    """The lines of what the device has published, oldest first."""

    def lines():
        found = logs.lines(type="UPSTREAM", deviceName=boiler.device_name)
        return sorted(found, key=lambda line: line["messageId"]) if len(found) >= count else None

    return until(lines, f"{count} lines")


@pytest.mark.shows(v3="2.3.1-6 3.3.4-1", v5="2.2.1-5 3.3.4-1 4.3.2-4")
@BOTH
def test_a_puback_has_the_packet_id_of_its_publish_and_qos_0_has_none(platform, boiler, level):
    topic = boiler.user_topic("update")
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        device.send(publish(topic, b"x", None, level) + publish(topic, b"x", 65_535, level) + publish(topic, b"x", 7, level))
        assert device.expect(PUBACK)[:2] == b"\xff\xff"
        assert device.expect(PUBACK)[:2] == b"\x00\x07"
        assert device.is_alive()


@pytest.mark.shows(v3="4.3.2-2", v5="4.3.2-5")
@BOTH
def test_a_packet_id_that_was_acknowledged_is_a_new_message_whatever_dup_says(platform, boiler, logs, level):
    topic = boiler.user_topic("update")
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        for flags in [0, DUP]:
            device.send(publish(topic, b"x", 9, level, flags=flags))
            assert device.expect(PUBACK)[:2] == b"\x00\x09"
    assert [line["detail"]["protocolMessageId"] for line in said(logs, boiler, 2)] == [9, 9]


@pytest.mark.shows(v3="3.3.5-2", v5="3.4.2-1")
@BOTH
def test_a_foreign_topic_is_acknowledged_and_mqtt_5_is_told_why(platform, boiler, level):
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        device.send(publish("/nobodys/topic", b"x", 3, level))
        answer = device.expect(PUBACK)
        assert answer[:2] == b"\x00\x03" and answer[2:3] == (b"\x87" if level == 5 else b"")
        assert device.is_alive()


REASON = b"\x1f" + field("topic too long or ill-formed")
NO_PROBLEM_INFORMATION = b"\x17\x00"
LARGEST_PACKET_36 = b"\x27\x00\x00\x00\x24"


@pytest.mark.shows(v5="3.1.2-29 3.4.2-2")
@pytest.mark.parametrize(
    ("asked", "told"),
    [(b"", bytes([len(REASON)]) + REASON), (NO_PROBLEM_INFORMATION, b"\x00"), (LARGEST_PACKET_36, b"\x00")],
    ids=["told", "not wanted", "too long"],
)
def test_a_reason_in_words_is_left_out_where_it_is_not_wanted_or_too_long(platform, boiler, asked, told):
    with enter(platform.mqtt_port, credentials(boiler), 5, extra=asked) as device:
        device.send(publish(boiler.user_topic("x" * 200), b"x", 3, 5))
        assert device.expect(PUBACK) == b"\x00\x03\x90" + told


@pytest.mark.shows(v5="3.3.2-7 3.3.2-12")
def test_every_alias_that_is_offered_is_taken_and_none_outlives_its_connection(platform, boiler, logs):
    topic = boiler.user_topic("update")

    def aliased(number, name, packet_id):
        return publish(name, b"x", packet_id, 5, b"\x23" + number.to_bytes(2, "big"))

    with enter(platform.mqtt_port, credentials(boiler), 5) as device:
        for number in range(1, 21):
            device.send(aliased(number, f"{topic}/{number}", number) + aliased(number, "", 100 + number))
        for number in range(1, 21):
            assert [device.expect(PUBACK) for _ in range(2)] == [bytes([0, number]), bytes([0, 100 + number])]
    topics = [line["detail"]["topic"] for line in said(logs, boiler, 40)]
    assert topics == [f"{topic}/{number}" for number in range(1, 21) for _ in range(2)]
    with enter(platform.mqtt_port, credentials(boiler), 5) as device:
        device.send(aliased(1, "", 1))
        ((first, body),) = device.until_closed()
        assert body[0] == 0x94


@pytest.mark.shows(v3="3.3.1-3", v5="3.3.1-3")
@BOTH
def test_a_reply_is_no_duplicate_although_its_request_was(platform, boiler, level):
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        report = json.dumps({"id": "1", "version": "1.0", "params": {"cycles": 1}})
        device.send(publish(boiler.topic("thing/event/property/post"), report.encode(), 5, level, flags=DUP))
        taken = [device.receive(), device.receive()]
        (reply,) = [message(one, level) for one in taken if one[0] >> 4 == PUBLISH]
        assert reply.topic == boiler.topic("thing/event/property/post_reply")
        assert not reply.flags & DUP


@pytest.mark.shows(v3="4.7.3-3", v5="4.7.3-3")
@BOTH
def test_a_topic_of_65535_bytes_is_read_and_refused(platform, boiler, level):
    longest = "/" + "x" * 65_534
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        device.send(publish(longest, b"x", 1, level) + subscribe(2, [longest], level))
        answers = [device.receive(), device.receive()]
        assert sorted(first >> 4 for first, _ in answers) == [PUBACK, SUBACK]
        assert device.is_alive()


@pytest.mark.shows(v3="3.12.4-1", v5="3.12.4-1")
@BOTH
def test_a_ping_is_answered(platform, boiler, level):
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        assert device.is_alive()
