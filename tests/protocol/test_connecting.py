"""Who is let in, what is answered, and what a session is (sections 3.1, 3.2 and 4.1)."""

from dataclasses import replace

import pytest

from hoshu.credentials import credentials
from hoshu.wait import until
from hoshu.wire import (
    CONNACK,
    DISCONNECT,
    GOODBYE,
    PUBACK,
    SUBACK,
    WILL_QOS_2,
    WILL_RETAIN,
    Stream,
    connect,
    enter,
    publish,
    subscribe,
)
from protocol.telling import SET, set_point, value_of
from protocol.versions import BOTH, lasting


def connack(platform, packet):
    """What a CONNACK says that refuses and closes."""
    with Stream(platform.mqtt_port) as stream:
        stream.send(packet)
        ((first, body),) = stream.until_closed()
        assert first == CONNACK << 4
        return body


@pytest.mark.shows(v3="3.1.2-2 3.2.2-4 3.2.2-5")
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_an_older_protocol_level_is_answered_unacceptable_and_closed(platform, boiler, level):
    assert connack(platform, connect(credentials(boiler), level)) == b"\x00\x01"


@pytest.mark.shows(v5="3.1.2-2 3.2.2-6..8 4.13.2-1")
@pytest.mark.parametrize("level", [6, 7, 255])
def test_a_newer_protocol_level_is_answered_unsupported_and_closed(platform, boiler, level):
    assert connack(platform, connect(credentials(boiler), level)) == b"\x00\x84\x00"


@pytest.mark.shows(v3="3.1.4-4 3.2.0-1 3.2.2-1", v5="3.1.4-5 3.2.0-1 3.2.2-1 3.2.2-2")
@BOTH
def test_who_may_connect_is_told_so_before_anything_else(platform, boiler, level):
    with Stream(platform.mqtt_port) as device:
        device.send(connect(credentials(boiler), level) + publish(boiler.user_topic("update"), b"x", 1, level))
        first, body = device.receive()
        assert first == CONNACK << 4 and body[:2] == b"\x00\x00"
        assert len(body) == 2 or level == 5


@pytest.mark.shows(v3="3.1.4-5", v5="3.1.4-2 3.1.4-6")
@BOTH
def test_what_comes_behind_a_refused_connect_is_not_processed(platform, boiler, logs, level):
    shown = credentials(boiler)
    topic = boiler.user_topic("update")
    with Stream(platform.mqtt_port) as stranger:
        stranger.send(connect(replace(shown, password="0" * 64), level) + publish(topic, b"smuggled", 1, level))
        ((first, body),) = stranger.until_closed()
        assert first == CONNACK << 4 and body[0] == 0 and body[1] != 0
    with enter(platform.mqtt_port, shown, level) as device:
        device.send(publish(topic, b"honest", 2, level))
        assert device.expect(PUBACK)[:2] == b"\x00\x02"
    lines = until(lambda: logs.lines(type="UPSTREAM", deviceName=boiler.device_name), "its line")
    assert [line["detail"]["protocolMessageId"] for line in lines] == [2]


@pytest.mark.shows(v3="3.1.0-2", v5="3.1.0-2 3.2.0-2 4.13.1-1")
@BOTH
def test_a_second_connect_is_a_violation_and_not_answered_by_a_connack(platform, boiler, level):
    shown = credentials(boiler)
    with enter(platform.mqtt_port, shown, level) as device:
        device.send(connect(shown, level))
        packets = device.until_closed()
    assert [(first, body[0]) for first, body in packets] == ([(DISCONNECT << 4, 0x82)] if level == 5 else [])


@pytest.mark.shows(v3="3.1.4-2", v5="3.1.4-3")
@BOTH
def test_a_second_connection_of_a_device_ends_its_first(platform, boiler, level):
    shown = credentials(boiler)
    with enter(platform.mqtt_port, shown, level) as first, enter(platform.mqtt_port, shown, level) as second:
        packets = first.until_closed()
        assert [(head, body[0]) for head, body in packets] == ([(DISCONNECT << 4, 0x8E)] if level == 5 else [])
        assert second.is_alive()


@pytest.mark.shows(v3="3.1.2-4 3.2.2-2 3.2.2-3 4.1.0-1", v5="3.1.2-5 3.1.2-6 3.1.2-23 3.2.2-3 4.1.0-1")
@BOTH
def test_a_kept_session_is_made_and_gone_on_with(platform, boiler, level):
    shown = credentials(boiler, _ss=0)
    with Stream(platform.mqtt_port) as device:
        device.send(connect(shown, level, **lasting(level)))
        assert device.expect(CONNACK)[:2] == b"\x00\x00", "nothing was there"
        device.send(subscribe(1, [boiler.topic(SET)], level))
        device.expect(SUBACK)
        device.send(GOODBYE)
        assert device.until_closed() == []
    with Stream(platform.mqtt_port) as device:
        device.send(connect(shown, level, **lasting(level)))
        assert device.expect(CONNACK)[:2] == b"\x01\x00", "the session was there"
        until(lambda: boiler.status == "ONLINE", "online")
        set_point(boiler, 5)
        assert value_of(device.receive(), level) == 5, "without another SUBSCRIBE"


@pytest.mark.shows(v3="3.1.2-6 3.1.4-3", v5="3.1.2-4 3.1.4-4")
@BOTH
def test_a_clean_start_forgets_the_session_before(platform, boiler, level):
    shown = credentials(boiler)
    enter(platform.mqtt_port, shown, level, **lasting(level)).close()
    for _ in range(2):
        # The second finds that nothing is kept of a clean one either.
        with Stream(platform.mqtt_port) as device:
            device.send(connect(shown, level, clean=True))
            assert device.expect(CONNACK)[:2] == b"\x00\x00"
    with Stream(platform.mqtt_port) as device:
        device.send(connect(shown, level, clean=False))
        assert device.expect(CONNACK)[:2] == b"\x00\x00"


@pytest.mark.shows(v5="4.1.0-2")
def test_a_session_is_gone_when_its_expiry_has_passed(platform, boiler):
    shown = credentials(boiler)
    second = b"\x11\x00\x00\x00\x01"

    def comes_back_to_nothing():
        with Stream(platform.mqtt_port) as device:
            device.send(connect(shown, 5, clean=False, extra=second))
            return device.expect(CONNACK)[0] == 0

    assert comes_back_to_nothing() and not comes_back_to_nothing()
    # Each attempt begins the second anew.
    until(comes_back_to_nothing, "nothing kept", every=1.5)


@pytest.mark.shows(v5="3.2.2-9 3.2.2-22")
def test_mqtt_5_is_told_what_is_not_offered_and_of_no_other_keep_alive_than_its_own(platform, boiler):
    with Stream(platform.mqtt_port) as device:
        device.send(connect(credentials(boiler), 5, keep_alive=77))
        told = device.expect(CONNACK)[3:]
        assert b"\x24\x01" in told, "Maximum QoS 1"
        assert b"\x25\x00" in told, "Retain Available 0"
        assert b"\x13" not in told, "Server Keep Alive"


REFUSED_WILLS = {"QoS 2": (WILL_QOS_2, 0x9B), "retained": (WILL_RETAIN, 0x9A)}


@pytest.mark.shows(v5="3.2.2-12 3.2.2-13")
@pytest.mark.parametrize("what", REFUSED_WILLS)
def test_a_will_that_mqtt_5_is_told_is_not_offered_is_refused(platform, boiler, what):
    flags, code = REFUSED_WILLS[what]
    will = (boiler.user_topic("gone"), b"x")
    assert connack(platform, connect(credentials(boiler), 5, will=will, will_flags=flags))[:2] == bytes([0, code])


@pytest.mark.shows(v5="4.12.0-1 4.12.0-6")
def test_an_authentication_method_is_refused_and_none_is_ever_asked_for(platform, boiler):
    method = b"\x15\x00\x05SCRAM"
    assert connack(platform, connect(credentials(boiler), 5, extra=method))[:2] == b"\x00\x8c"
    with Stream(platform.mqtt_port) as device:
        device.send(connect(credentials(boiler), 5))
        assert b"\x15" not in device.expect(CONNACK)[2:]


@pytest.mark.shows(v5="3.1.2-28")
@pytest.mark.parametrize("asked", [0, 1])
def test_no_response_information_is_given(platform, boiler, asked):
    with Stream(platform.mqtt_port) as device:
        device.send(connect(credentials(boiler), 5, extra=bytes([0x19, asked])))
        assert b"\x1a" not in device.expect(CONNACK)[2:]


@pytest.mark.shows(v5="3.1.3-8")
def test_a_client_id_of_another_form_is_refused_and_closed(platform, boiler):
    shown = credentials(boiler)
    for client_id in ["boiler", ""]:
        assert connack(platform, connect(replace(shown, client_id=client_id), 5)) == b"\x00\x85\x00"


@pytest.mark.shows(v3="7.1.1-1", v5="4.2.0-1")
@BOTH
@pytest.mark.parametrize("door", ["TCP", "TLS"])
def test_a_device_connects_over_a_stream_of_bytes(platform, boiler, level, door):
    port, ca_file, mode = {
        "TCP": (platform.mqtt_port, None, 3),
        "TLS": (platform.mqtts_port, platform.ca_file, 2),
    }[door]
    with enter(port, credentials(boiler, securemode=mode), level, ca_file=ca_file) as device:
        assert device.is_alive()


@pytest.mark.shows(v3="1.5.3-3", v5="1.5.4-3")
@BOTH
def test_a_byte_order_mark_is_a_character_like_others(platform, boiler, level):
    """It is part of what is signed: a device whose client id has one is let in only with it."""
    shown = credentials(boiler, own_id="\ufeffboiler")
    enter(platform.mqtt_port, shown, level).close()
    without = replace(shown, client_id=shown.client_id.removeprefix("\ufeff"))
    assert connack(platform, connect(without, level))[1] != 0
