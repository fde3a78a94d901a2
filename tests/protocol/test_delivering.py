"""PUBLISH to a device: packet ids, order, what comes again, and how much at once (sections 2.2, 4.3, 4.4, 4.6 and 4.9)."""

import json

import pytest

from hoshu.background import in_background
from hoshu.credentials import credentials
from hoshu.mqtt import V3, V5
from hoshu.mqtt import connect as connect_client
from hoshu.wait import until
from hoshu.wire import (
    CONNACK,
    DISCONNECT,
    DUP,
    QOS_1,
    SUBACK,
    SUBSCRIBE,
    Stream,
    connect,
    enter,
    field,
    message,
    packet,
    puback,
    subscribe,
)
from protocol.telling import ask_time, set_point, setting, time_topic, value_of
from protocol.versions import BOTH, lasting


def receive_maximum(count):
    return b"\x21" + count.to_bytes(2, "big")


def largest_packet(size):
    return b"\x27" + size.to_bytes(4, "big")


def online(boiler):
    until(lambda: boiler.status == "ONLINE", "online")


@pytest.mark.shows(v3="2.3.1-5 4.3.1-1", v5="2.2.1-2 4.3.1-1")
@BOTH
def test_a_message_of_qos_0_has_no_packet_id_and_is_never_again(platform, boiler, level):
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        device.send(ask_time(boiler, level))
        told = message(device.receive(), level)
        assert told.topic == time_topic(boiler, "response") and told.flags == 0
        assert json.loads(told.payload)["deviceSendTime"], "its payload begins behind the topic"


@pytest.mark.shows(v3="2.3.1-4 4.3.2-1", v5="2.2.1-4 3.1.2-26..27 3.3.2-11 4.3.2-1..3")
@BOTH
def test_a_message_has_a_packet_id_that_no_unacknowledged_one_has(platform, boiler, level):
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        online(boiler)
        telling = [in_background(set_point, boiler, value) for value in range(1, 6)]
        told = [message(device.receive(), level) for _ in range(5)]
        [one.result(30) for one in telling]
        ids = [one.packet_id for one in told]
        assert 0 not in ids and len(set(ids)) == 5
        assert all(one.flags == QOS_1 and one.properties == b"" for one in told), "not again, and no alias"
        device.send(puback(ids[2]))
        set_point(boiler, 6)
        assert message(device.receive(), level).packet_id not in {*ids} - {ids[2]}


@pytest.mark.shows(v3="3.3.1-1 4.1.0-2 4.4.0-1 4.6.0-1", v5="3.3.1-1 4.4.0-1")
@BOTH
def test_what_was_not_acknowledged_comes_again_in_order_with_dup_and_its_packet_id(platform, boiler, level):
    shown = credentials(boiler)
    with enter(platform.mqtt_port, shown, level, **lasting(level)) as device:
        online(boiler)
        first = []
        for value in range(1, 4):
            set_point(boiler, value)
            first.append(device.receive())
        # The second of three, so that what is left cannot be counted anew.
        device.send(puback(message(first[1], level).packet_id))
        assert device.is_alive(), "and it comes not again while the connection lasts"
    until(lambda: boiler.status == "OFFLINE", "offline")
    with enter(platform.mqtt_port, shown, level, **lasting(level)) as device:
        again = [device.receive(), device.receive()]
        assert [value_of(one, level) for one in again] == [1, 3]
        assert [message(one, level).flags for one in again] == [QOS_1 | DUP] * 2
        ids = [message(one, level).packet_id for one in again]
        assert ids == [message(one, level).packet_id for one in (first[0], first[2])]
        online(boiler)
        set_point(boiler, 4)
        assert message(device.receive(), level).packet_id not in ids
        for packet_id in ids:
            device.send(puback(packet_id))
        assert device.is_alive()


@pytest.mark.shows(v5="4.4.0-2")
def test_what_a_device_refuses_does_not_come_again(platform, boiler):
    shown = credentials(boiler)
    with enter(platform.mqtt_port, shown, 5, **lasting(5)) as device:
        online(boiler)
        set_point(boiler, 1)
        packet_id = message(device.receive(), 5).packet_id
        device.send(b"\x40\x04" + packet_id.to_bytes(2, "big") + b"\x83\x00")
        assert device.is_alive()
    until(lambda: boiler.status == "OFFLINE", "offline")
    with enter(platform.mqtt_port, shown, 5, **lasting(5)) as device:
        online(boiler)
        set_point(boiler, 2)
        assert value_of(device.receive(), 5) == 2


@pytest.mark.shows(v3="4.6.0-5 4.6.0-6", v5="4.6.0-5 4.6.0-6")
@pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
def test_messages_come_in_the_order_in_which_they_were_sent(platform, boiler, version):
    with connect_client(platform, boiler, version=version) as connection:
        online(boiler)
        for value in range(1, 13):
            set_point(boiler, value)
        assert [connection.receive()[1]["params"]["setpoint"] for _ in range(12)] == list(range(1, 13))


@pytest.mark.shows(v5="3.3.4-9 3.3.4-10 4.9.0-1..3")
def test_no_more_than_the_receive_maximum_is_unacknowledged_and_all_else_goes_on(platform, boiler):
    with enter(platform.mqtt_port, credentials(boiler), 5, extra=receive_maximum(2)) as device:
        online(boiler)
        for value in range(1, 5):
            set_point(boiler, value)
        told = [device.receive(), device.receive()]
        # Answers to others come, and a message of QoS 0 passes those that wait.
        device.send(subscribe(1, [boiler.user_topic("get")], 5) + ask_time(boiler, 5))
        assert device.expect(SUBACK)[-1] == 1
        assert message(device.receive(), 5).topic == time_topic(boiler, "response")
        assert device.is_alive()
        for one in told:
            device.send(puback(message(one, 5).packet_id))
        told += [device.receive(), device.receive()]
        assert [value_of(one, 5) for one in told] == [1, 2, 3, 4]


@pytest.mark.shows(v5="3.1.2-25")
def test_a_message_too_large_for_a_device_is_passed_over_and_its_place_is_free(platform, boiler):
    shown = credentials(boiler)
    with enter(platform.mqtt_port, shown, 5) as device:
        online(boiler)
        set_point(boiler, 5)
        size = len(device.receive()[1])
    until(lambda: boiler.status == "OFFLINE", "offline")
    with enter(platform.mqtt_port, shown, 5, extra=largest_packet(size + 20) + receive_maximum(1)) as device:
        online(boiler)
        boiler.rest.refused("POST", f"{boiler.path}/properties", 429, 6452, body=setting(label="x" * 64))
        set_point(boiler, 6)
        assert value_of(device.receive(), 5) == 6


@pytest.mark.shows(v5="3.1.2-24")
def test_an_answer_too_large_for_a_device_is_not_sent(platform, boiler):
    shown = credentials(boiler)
    with Stream(platform.mqtt_port) as device:
        device.send(connect(shown, 5, extra=largest_packet(31)))
        assert device.until_closed() == [(CONNACK << 4, b"\x00\x95\x00")], "one with all limits has up to 32 bytes"
    with enter(platform.mqtt_port, shown, 5, extra=largest_packet(32)) as device:
        device.send(subscribe(1, ["/a"] * 100, 5))
        ((first, body),) = device.until_closed()
        assert first == DISCONNECT << 4 and body[0] == 0x95


@pytest.mark.shows(v5="3.14.2-3")
@pytest.mark.parametrize(("size", "told"), [(60, True), (40, False)])
def test_a_goodbye_leaves_its_reason_out_where_it_would_be_too_long(platform, boiler, size, told):
    with enter(platform.mqtt_port, credentials(boiler), 5, extra=largest_packet(size)) as device:
        device.send(packet(SUBSCRIBE, b"\x00\x01\x02\x0b\x01" + field("/a") + b"\x00"))
        ((_, body),) = device.until_closed()
        assert body[0] == 0xA1 and (b"subscription identifiers" in body) == told
