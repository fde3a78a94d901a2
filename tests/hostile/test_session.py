"""Devices that know their secret and misbehave: what they do is bounded, told in their log, and theirs alone."""

import json
import time

import pytest

from hoshu.background import in_background
from hoshu.credentials import credentials
from hoshu.logs import Logs
from hoshu.model import boiler as boiler_model
from hoshu.things import make_product
from hoshu.wait import until
from hoshu.wire import (
    CONNACK,
    DISCONNECT,
    PING,
    PINGREQ,
    PUBACK,
    PUBLISH,
    SUBACK,
    SUBSCRIBE,
    UNSUBACK,
    UNSUBSCRIBE,
    connect,
    enter,
    field,
    packet,
    properties,
    publish,
    subscribe,
    unsubscribe,
    variable,
)

BOTH = pytest.mark.parametrize("level", [4, 5])
LARGEST = 256 * 1024
TOPIC_TOO_LONG = "x" * 65_535

# What a well-behaved device may never send; for both versions, and the code that MQTT 5 tells.
MALFORMED = {
    "a packet of no kind": (lambda level: packet(0), 0x81),
    "a length of five bytes": (lambda level: b"\x30\xff\xff\xff\xff\x01", 0x81),
    "a CONNACK": (lambda level: packet(CONNACK, b"\x00\x00" + properties(level)), 0x82),
    "a SUBACK": (lambda level: packet(SUBACK, b"\x00\x01" + properties(level) + b"\x00"), 0x82),
    "a PINGRESP": (lambda level: b"\xd0\x00", 0x82),
    "a PUBREC": (lambda level: b"\x50\x02\x00\x01", 0x82),
    "a PUBLISH of QoS 3": (lambda level: packet(PUBLISH, field("/a") + b"\x00\x01" + properties(level), flags=6), 0x81),
    "a PUBLISH with packet id 0": (lambda level: publish("/a", b"x", 0, level), 0x81),
    "a PUBLISH without a topic": (lambda level: publish("", b"x", 1, level), None),
    "a PUBLISH whose topic is longer than itself": (lambda level: packet(PUBLISH, b"\xff\xff/a"), 0x81),
    "a PUBLISH whose topic is no UTF-8": (lambda level: publish(b"/\xc3\x28", b"x", 1, level), 0x81),
    "a PUBLISH that ends before its packet id": (lambda level: packet(PUBLISH, field("/a"), flags=2), 0x81),
    "a PUBACK of packet id 0": (lambda level: packet(PUBACK, b"\x00\x00"), 0x81),
    "a PUBACK with reserved bits": (lambda level: packet(PUBACK, b"\x00\x01", flags=3), 0x81),
    "a SUBSCRIBE with reserved bits": (lambda level: packet(SUBSCRIBE, subscribe(1, ["/a"], level)[2:], flags=0), 0x81),
    "a SUBSCRIBE of packet id 0": (lambda level: subscribe(0, ["/a"], level), 0x81),
    "a SUBSCRIBE of nothing": (lambda level: subscribe(1, [], level), 0x81),
    "a SUBSCRIBE of QoS 3": (lambda level: subscribe(1, ["/a"], level, options=3), 0x81),
    "a SUBSCRIBE that is no UTF-8": (lambda level: subscribe(1, [b"\xff\xfe"], level), 0x81),
    "an UNSUBSCRIBE of packet id 0": (lambda level: unsubscribe(0, ["/a"], level), 0x81),
    "an UNSUBSCRIBE of nothing": (lambda level: unsubscribe(1, [], level), 0x81),
    "a PINGREQ with reserved bits": (lambda level: packet(PINGREQ, flags=15), 0x81),
    "a SUBSCRIBE over the size of a packet": (lambda level: b"\x82" + variable(268_435_455) + b"\x00\x01", 0x95),
}

PROPERTIES = {
    "a topic alias of 0": publish("/a", b"x", 1, 5, b"\x23\x00\x00"),
    "a topic alias beyond the offered": publish("/a", b"x", 1, 5, b"\x23\xff\xff"),
    "a topic alias that names nothing": publish("", b"x", 1, 5, b"\x23\x00\x05"),
    "a topic alias twice": publish("/a", b"x", 1, 5, b"\x23\x00\x01" * 2),
    "a property of another packet": publish("/a", b"x", 1, 5, b"\x11\x00\x00\x00\x01"),
    "a property that does not exist": publish("/a", b"x", 1, 5, b"\x7f\x00"),
    "a property that is cut off": publish("/a", b"x", 1, 5, b"\x02\x00"),
    "properties longer than the packet": packet(PUBLISH, field("/a") + variable(1 << 20)),
    "a subscription identifier of 0": packet(SUBSCRIBE, b"\x00\x01\x02\x0b\x00" + field("/a") + b"\x00"),
    "a subscription identifier": packet(SUBSCRIBE, b"\x00\x01\x02\x0b\x01" + field("/a") + b"\x00"),
    "a reserved retain handling": subscribe(1, ["/a"], 5, options=0x30),
    "an expiry at the end of a session that had none": packet(DISCONNECT, b"\x00\x05\x11\x00\x00\x00\x3c"),
    "an AUTH": packet(15, b"\x18\x00"),
}


def ended(device, logs, what):
    """The one line that says how its connection ended."""
    line = logs.offline_reason(device)
    assert (line["reason"], line["status"]) == ("Connection occurs exception", "FAILURE"), (what, line)


@BOTH
@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_packet_ends_the_connection_and_the_log_says_so(platform, boiler, logs, what, level):
    make, code = MALFORMED[what]
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        device.send(make(level))
        packets = device.until_closed()
    if level == 5:
        ((first, body),) = packets
        assert first >> 4 == DISCONNECT and code in (None, body[0]), (first, body)
    else:
        assert packets == []
    ended(boiler, logs, what)


@pytest.mark.parametrize("what", PROPERTIES)
def test_absurd_properties_end_the_connection_and_the_log_says_so(platform, boiler, logs, what):
    with enter(platform.mqtt_port, credentials(boiler), 5) as device:
        device.send(PROPERTIES[what])
        ((first, body),) = device.until_closed()
        assert first >> 4 == DISCONNECT and body[0] >= 0x80, (first, body)
    ended(boiler, logs, what)


@BOTH
def test_a_second_connect_ends_the_connection(platform, boiler, logs, level):
    shown = credentials(boiler)
    with enter(platform.mqtt_port, shown, level) as device:
        device.send(connect(shown, level))
        assert [first >> 4 for first, _ in device.until_closed()] == ([DISCONNECT] if level == 5 else [])
    ended(boiler, logs, "a second CONNECT")


@pytest.mark.shows(v5="1.5.5-1")
@BOTH
def test_65535_subscriptions_in_one_packet_are_all_answered_and_eight_are_granted(platform, boiler, level):
    filters = [f"/{n}" for n in range(30_000)]
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        device.send(subscribe(1, [boiler.user_topic(f"get/{n}") for n in range(20)], level))
        codes = device.expect(SUBACK)[3 if level == 5 else 2 :]
        assert [code < 0x80 for code in codes] == [True] * 8 + [False] * 12
        for _ in range(2):
            device.send(subscribe(2, filters, level))
            codes = device.expect(SUBACK)[3 if level == 5 else 2 :]
            assert len(codes) == len(filters) and all(code >= 0x80 for code in codes)
        device.send(unsubscribe(3, filters, level))
        device.expect(UNSUBACK)
        assert device.is_alive()


def test_thousands_of_subscriptions_in_as_many_packets_leave_a_hundred(platform, boiler):
    granted = 0
    with enter(platform.mqtt_port, credentials(boiler)) as device:
        for start in range(1, 6000, 1000):
            numbers = range(start, start + 1000)
            device.send(b"".join(subscribe(n, [boiler.user_topic(f"get/{n}")]) for n in numbers))
            for number in numbers:
                answer = device.expect(SUBACK)
                assert int.from_bytes(answer[:2], "big") == number
                granted += answer[2] < 0x80
    assert granted == 100


@BOTH
def test_a_topic_of_65535_bytes_is_refused_wherever_it_stands(platform, boiler, logs, level):
    with enter(platform.mqtt_port, credentials(boiler), level, will=(TOPIC_TOO_LONG, b"gone")) as device:
        device.send(publish(TOPIC_TOO_LONG, b"x", 1, level))
        answer = device.expect(PUBACK)
        assert level == 4 or answer[2] == 0x90
        device.send(subscribe(2, [TOPIC_TOO_LONG], level))
        assert device.expect(SUBACK)[-1] >= 0x80
        assert device.is_alive()

    def refused():
        lines = logs.lines(type="UPSTREAM", status="FAILURE", deviceName=boiler.device_name)
        # The will's comes when the connection is over.
        return lines if len(lines) == 2 else None

    for line in until(refused, "the lines of PUBLISH and will"):
        assert line["reason"] == "Bad Request" and len(json.dumps(line)) < 2000


@BOTH
def test_a_will_to_a_foreign_topic_is_refused_when_its_time_comes(platform, boilers, boiler, logs, level):
    foreign = f"/sys/{boilers.product_key}/somebody/thing/event/property/post"
    enter(platform.mqtt_port, credentials(boiler), level, will=(foreign, b"{}")).close()
    (line,) = until(lambda: logs.lines(type="UPSTREAM", deviceName=boiler.device_name), "its line")
    assert (line["status"], line["reason"]) == ("FAILURE", "No authorization")


def test_payloads_at_the_limit_from_many_devices_are_carried_in_bounded_memory(platform, boilers, logs):
    devices = boilers.devices(20)
    payload = b"x" * LARGEST
    streams = [enter(platform.mqtt_port, credentials(one)) for one in devices]
    for number in range(1, 6):
        for device, stream in zip(devices, streams):
            stream.send(publish(device.user_topic("update"), payload, number))
        for stream in streams:
            assert stream.expect(PUBACK) == number.to_bytes(2, "big")
    for stream in streams:
        stream.close()


def test_a_payload_far_above_the_limit_is_thrown_away_as_it_comes(platform, boiler, logs):
    chunk = b"x" * (1 << 20)
    head = field(boiler.user_topic("update")) + b"\x00\x01"
    with enter(platform.mqtt_port, credentials(boiler)) as device:
        device.send(b"\x32" + variable(len(head) + 100 * len(chunk)) + head)
        assert device.expect(PUBACK) == b"\x00\x01", "at once: nothing of it is waited for"
        for _ in range(100):
            assert device.send(chunk)
        assert device.is_alive()
    (line,) = until(lambda: logs.lines(type="UPSTREAM", deviceName=boiler.device_name), "its line")
    assert (line["status"], line["reason"]) == ("FAILURE", "Bad Request")


def test_mqtt_5_is_told_why_before_a_payload_above_the_limit_ends_its_connection(platform, boiler, logs):
    """Even one that goes on sending, and reads later: the answer is not lost with the connection."""
    with enter(platform.mqtt_port, credentials(boiler), 5) as device:
        device.send(publish(boiler.user_topic("update"), b"x" * (4 << 20), 1, 5))
        packets = device.until_closed()
    assert packets and packets[-1][0] >> 4 == DISCONNECT and packets[-1][1][0] == 0x95, packets
    ended(boiler, logs, "a payload over the limit")


def test_a_packet_that_is_announced_and_never_sent_costs_nothing(platform, boilers):
    """256 MiB each, of which nothing is reserved; their keep-alive ends them."""
    streams = []
    for device in boilers.devices(100):
        stream = enter(platform.mqtt_port, credentials(device))
        head = field(device.user_topic("update")) + b"\x00\x01"
        stream.send(b"\x32" + variable(268_435_455) + head)
        streams.append(stream)
    for stream in streams:
        stream.expect(PUBACK)
        stream.close()


@pytest.fixture(scope="module")
def talkers(rest):
    """Devices that can be told much at once."""
    model = boiler_model()
    (label,) = [one for one in model["properties"] if one["identifier"] == "label"]
    label["dataType"]["specs"]["length"] = "10240"
    return make_product(rest, model)


def set_at_once(platform, device, params, count):
    """As many sets, from as many people; each answer's status."""

    def ask():
        return platform.rest().send("POST", f"{device.path}/properties", {"params": params, "waitSeconds": 0}).status_code

    return [answer.result(60) for answer in [in_background(ask) for _ in range(count)]]


def test_who_is_sent_to_and_never_reads_is_disconnected(platform, talkers):
    device = talkers.device()
    # Of QoS 1 it would get fifty; what is sent with QoS 0 has no such bound.
    with enter(platform.mqtt_port, credentials(device, _ss=0), receive_buffer=2048) as stream:
        stream.send(subscribe(1, [device.topic("thing/service/property/set")], options=0))
        stream.expect(SUBACK)
        until(lambda: device.status == "ONLINE", "online")
        until(
            lambda: set_at_once(platform, device, {"label": "x" * 10_000}, 40) and device.status == "OFFLINE",
            "it disconnected",
            within=120,
        )
    line = Logs(talkers).offline_reason(device)
    assert line["reason"] == "Connection occurs exception", line


def test_who_never_acknowledges_gets_fifty_and_the_senders_of_more_are_told(platform, boiler):
    with enter(platform.mqtt_port, credentials(boiler)) as device:
        until(lambda: boiler.status == "ONLINE", "online")
        statuses = set_at_once(platform, boiler, {"setpoint": 5}, 60)
        assert sorted(statuses) == [200] * 50 + [429] * 10, sorted(statuses)
        received = [device.receive() for _ in range(50)]
        assert all(first >> 4 == PUBLISH for first, _ in received)
        assert device.is_alive()


# Packets that cost the door work and carry nothing, beyond what a device may send at once.
FLOODS = {
    "PINGREQ": lambda device: PING * 5000,
    "PUBACK of nothing": lambda device: packet(PUBACK, b"\x00\x07") * 5000,
    "SUBSCRIBE": lambda device: subscribe(1, [device.user_topic("get")]) * 5000,
    "SUBSCRIBE of what is not its own": lambda device: subscribe(1, ["#"] * 10_000) * 4,
    "UNSUBSCRIBE": lambda device: unsubscribe(1, ["/a"] * 10_000) * 4,
    "PUBLISH over its rate": lambda device: publish(device.user_topic("update"), b"x") * 5000,
    "PUBLISH to foreign topics": lambda device: publish("/nobodys/topic", b"x") * 5000,
}


@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_is_answered_and_holds_up_only_its_sender(platform, boiler, what):
    with enter(platform.mqtt_port, credentials(boiler)) as device:
        start = time.monotonic()
        assert device.send(FLOODS[what](boiler) + subscribe(999, ["#"]))
        until_answered(device, 999)
        # 3,000 packets at once, or as many times eight filters, and then 1,500 in a second.
        assert time.monotonic() - start >= 1


def until_answered(device, packet_id):
    """Passes over everything that comes before this SUBACK."""
    while taken := device.receive():
        if taken[0] >> 4 == SUBACK and int.from_bytes(taken[1][:2], "big") == packet_id:
            return
    raise AssertionError("closed before it was answered")


def test_random_packets_end_at_most_their_own_connection(platform, boilers, dice):
    device = boilers.device()
    stream, connections = None, 0
    good = [
        publish(device.user_topic("update"), b"x", 1),
        publish(device.topic("thing/event/property/post"), b"{}", 2),
        subscribe(3, [device.user_topic("get")]),
        unsubscribe(4, [device.user_topic("get")]),
        PING,
    ]
    # A device may connect 20 times a minute.
    while connections < 19:
        if stream is None:
            stream = enter(platform.mqtt_port, credentials(device), dice.choice([4, 5]))
            connections += 1
        noise = bytearray(dice.choice(good))
        if dice.random() < 0.3:
            noise = bytearray([dice.choice(good)[0], dice.randrange(200)]) + dice.randbytes(dice.randrange(200))
        for _ in range(dice.randrange(3)):
            noise[dice.randrange(len(noise))] = dice.randrange(256)
        if not stream.send(bytes(noise)) or dice.random() < 0.2:
            stream.close()
            stream = None
