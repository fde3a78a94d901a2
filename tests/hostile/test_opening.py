"""Strangers at the devices' door: who is not let in costs little, and is gone in time."""

import socket
import ssl
import time
from contextlib import suppress

import pytest

from hostile.conftest import CONNECT_SECONDS
from hoshu.credentials import credentials
from hoshu.logs import Logs
from hoshu.wait import until
from hoshu.wire import CONNACK, CONNECT, PING, Refused, Stream, connect, enter, field, packet, properties, publish

# For a busy machine, beyond what is promised.
GRACE_SECONDS = 5
CROWD = 200


def client_hello():
    """What a TLS client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def slowly(stream, data):
    """A byte now and then, until the platform has enough of it."""
    for byte in data:
        if not stream.send(bytes([byte])):
            return
        stream.socket.settimeout(0.2)
        try:
            if not stream.socket.recv(1):
                return
        except TimeoutError:
            pass
        except ConnectionError:
            return


# What a stranger sends, and to which door.
BEGINNINGS = {
    "nothing": ("mqtt", b""),
    "half a CONNECT": ("mqtt", b"\x10\x7f\x00\x04MQTT\x04\xc2\x00\x3c"),
    "a CONNECT whose length never ends": ("mqtt", b"\x10\xff\xff"),
    "nothing on the TLS door": ("mqtts", b""),
    "half a ClientHello": ("mqtts", client_hello()[:60]),
    "a handshake that it abandons": ("mqtts", client_hello()),
}


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_who_begins_and_says_no_more_is_closed_in_time(platform, metric, beginning):
    door, said = BEGINNINGS[beginning]
    port = getattr(platform, f"{door}_port")
    failures = metric("hoshu_gateway_connect_failures_total")
    strangers = [Stream(port) for _ in range(CROWD)]
    began = time.monotonic()
    for stranger in strangers:
        stranger.send(said)
    for stranger in strangers:
        # Of a handshake something is answered, which is no packet.
        while stranger.socket.recv(1 << 16):
            pass
        stranger.close()
    assert time.monotonic() - began < CONNECT_SECONDS + GRACE_SECONDS
    assert metric("hoshu_gateway_connect_failures_total") - failures >= CROWD


def test_who_is_silent_behind_a_handshake_is_closed_in_time(platform):
    strangers = [Stream(platform.mqtts_port, ca_file=platform.ca_file) for _ in range(20)]
    began = time.monotonic()
    for stranger in strangers:
        assert stranger.until_closed() == []
    assert time.monotonic() - began < CONNECT_SECONDS + GRACE_SECONDS


def test_a_connect_byte_by_byte_is_served_if_it_is_there_in_time_and_else_closed(platform, boiler):
    shown = credentials(boiler)
    with Stream(platform.mqtt_port) as patient:
        for byte in connect(shown):
            patient.send(bytes([byte]))
        assert patient.expect(CONNACK) == b"\x00\x00"
    with Stream(platform.mqtt_port) as slow:
        began = time.monotonic()
        slowly(slow, connect(shown))
        assert time.monotonic() - began < CONNECT_SECONDS + GRACE_SECONDS


# The first byte of every packet but CONNECT, and of no packet.
@pytest.mark.shows(v3="3.1.0-1", v5="3.1.0-1")
@pytest.mark.parametrize("first", [0x00, *(kind << 4 for kind in range(2, 16)), 0x11, 0x1F])
def test_nothing_but_a_connect_opens_a_connection(platform, first):
    with Stream(platform.mqtt_port) as stranger:
        stranger.send(bytes([first, 2, 0, 1]))
        assert stranger.until_closed(CONNECT_SECONDS - 1) == [], "closed at once, and without an answer"


def test_a_huge_length_is_closed_at_once_and_nothing_is_kept_for_it(platform):
    for length in [b"\xff\xff\xff\x7f", b"\x80\x80\x80\x40", b"\x81\x84\x05"]:
        with Stream(platform.mqtt_port) as stranger:
            stranger.send(b"\x10" + length + b"\x00\x04MQTT\x04")
            assert stranger.until_closed(CONNECT_SECONDS - 1) == []


def body(shown, name=b"\x00\x04MQTT", level=4, flags=0xC2, client_id=None, extra=b""):
    """A CONNECT's body, as wrong as one likes."""
    client_id = field(shown.client_id) if client_id is None else client_id
    head = name + bytes([level, flags]) + b"\x00\x3c" + properties(level, extra)
    return head + client_id + field(shown.username) + field(shown.password)


MALFORMED = {
    "the reserved flag": {"flags": 0xC3},
    "a will's QoS without a will": {"flags": 0xCA},
    "a kept will without a will": {"flags": 0xE2},
    "a will of QoS 3": {"flags": 0xDE},
    "a password without a username": {"flags": 0x42},
    "another protocol": {"name": b"\x00\x04mqtt"},
    "no protocol": {"name": b"\x00\x00"},
    "a client id that is no UTF-8": {"client_id": field(b"\xc3\x28")},
    "a client id with a surrogate": {"client_id": field(b"\xed\xa0\x80")},
    "a client id with a null character": {"client_id": field("a.b|securemode=3|\0")},
    "a client id longer than the packet": {"client_id": b"\xff\xff"},
}

PROPERTIES = {
    "a session expiry twice": b"\x11\x00\x00\x00\x01" * 2,
    "a receive maximum of 0": b"\x21\x00\x00",
    "a maximum packet size of 0": b"\x27\x00\x00\x00\x00",
    "a request of problems that is neither yes nor no": b"\x17\x02",
    "a property that does not exist": b"\x7f\x00",
    "a property of another packet": b"\x23\x00\x01",
    "a property that is cut off": b"\x11\x00\x00",
    "a user property that is no UTF-8": b"\x26" + field(b"\xff") + field(b"x"),
    "data without a method": b"\x16" + field(b"x"),
}


@pytest.mark.parametrize("what", MALFORMED)
@pytest.mark.parametrize("level", [4, 5])
def test_a_malformed_connect_lets_nobody_in(platform, boiler, what, level):
    with Stream(platform.mqtt_port) as stranger:
        stranger.send(packet(CONNECT, body(credentials(boiler), level=level, **MALFORMED[what])))
        refused_or_closed(stranger)


@pytest.mark.parametrize("what", PROPERTIES)
def test_a_connect_with_absurd_properties_lets_nobody_in(platform, boiler, what):
    with Stream(platform.mqtt_port) as stranger:
        stranger.send(packet(CONNECT, body(credentials(boiler), level=5, extra=PROPERTIES[what])))
        refused_or_closed(stranger)


def refused_or_closed(stranger):
    for first, answer in stranger.until_closed(CONNECT_SECONDS + GRACE_SECONDS):
        assert first >> 4 == CONNACK and answer[1] != 0, (first, answer)


def test_a_connect_of_user_properties_is_bounded_by_its_size(platform, boiler):
    """As many as fit are harmless; more than a CONNECT may have are not read."""
    pair = b"\x26" + field(b"k") + field(b"v")
    shown = credentials(boiler)
    with enter(platform.mqtt_port, shown, level=5, extra=pair * 8000) as device:
        assert device.is_alive()
    with Stream(platform.mqtt_port) as stranger:
        stranger.send(connect(shown, level=5, extra=pair * 14_000))
        assert stranger.until_closed(CONNECT_SECONDS - 1) == []


def test_random_bytes_let_nobody_in(platform, boiler, dice):
    good = connect(credentials(boiler))
    for _ in range(300):
        noise = bytearray(dice.randbytes(dice.randrange(1, 400)))
        if dice.random() < 0.7:
            # A good one that was bent in some places.
            noise = bytearray(good)
            for _ in range(dice.randrange(1, 6)):
                noise[dice.randrange(len(noise))] = dice.randrange(256)
        with Stream(platform.mqtt_port) as stranger:
            stranger.send(bytes(noise))
            with suppress(OSError):  # closed already
                stranger.socket.shutdown(socket.SHUT_WR)
            for first, _ in stranger.until_closed():
                assert first >> 4 == CONNACK


def test_one_address_cannot_take_all_places_from_the_others(platform, boiler):
    """As shipped: 10,000 places, of which one address gets 1,111."""
    crowd = []
    try:
        for _ in range(1500):
            crowd.append(Stream(platform.mqtt_port, source="127.0.7.1"))
        shut = [one for one in crowd if not is_open(one)]
        assert len(shut) >= 300, f"{len(shut)} of {len(crowd)} were closed at once"
        began = time.monotonic()
        enter(platform.mqtt_port, credentials(boiler)).close()
        assert time.monotonic() - began < CONNECT_SECONDS
    finally:
        for one in crowd:
            one.close()
    assert platform.process.log().count("their address holds too many") == 1, "one line, however many"


def is_open(stream):
    stream.socket.settimeout(0.001)
    try:
        return stream.socket.recv(1) != b""
    except TimeoutError:
        return True
    except ConnectionError:
        return False


def test_thousands_of_wrong_passwords_cost_little_and_lock_nobody_out(platform, boilers, boiler):
    shown = credentials(boiler)
    guess = connect(type(shown)(shown.client_id, shown.username, "0" * 64))
    codes = []
    for _ in range(3000):
        with Stream(platform.mqtt_port, source="127.0.7.2") as stranger:
            stranger.send(guess)
            codes.append(stranger.expect(CONNACK)[1])
    assert set(codes) <= {3, 5}, "not authorised, or too many attempts"
    logs = Logs(boilers)
    lines = until(lambda: logs.lines(type="ACTIVITY", deviceName=boiler.device_name), "lines of the refusals")
    assert len(lines) <= 10 and all(line["content"] == "connect refused" for line in lines)
    # The device itself comes from elsewhere, and is let in.
    enter(platform.mqtt_port, shown).close()


def test_an_address_that_guesses_at_many_devices_is_held_off(platform, boilers, boiler):
    devices = boilers.devices(40)
    codes = []
    for number in range(600):
        shown = credentials(devices[number % len(devices)])
        with Stream(platform.mqtt_port, source="127.0.7.3") as stranger:
            stranger.send(connect(type(shown)(shown.client_id, shown.username, "0" * 64)))
            codes.append(stranger.expect(CONNACK)[1])
    assert codes[:100] == [5] * 100 and codes[-200:] == [3] * 200
    with pytest.raises(Refused):
        enter(platform.mqtt_port, credentials(boiler), source="127.0.7.3")
    enter(platform.mqtt_port, credentials(boiler)).close()
    assert platform.process.log().count("failed too often in this minute") == 1


def test_packets_before_the_answer_to_a_connect_are_served_after_it(platform, boiler):
    """A device may send on without waiting."""
    with Stream(platform.mqtt_port) as hasty:
        hasty.send(connect(credentials(boiler)) + publish(boiler.user_topic("update"), b"x", 1) + PING)
        kinds = [hasty.receive()[0] >> 4 for _ in range(3)]
        assert kinds[0] == CONNACK and sorted(kinds[1:]) == [4, 13]
