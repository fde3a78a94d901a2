"""A packet that breaks a rule ends its connection, and MQTT 5 is told which kind of rule (sections 4.8 and 4.13)."""

import pytest

from hoshu.credentials import credentials
from hoshu.wire import (
    AUTH,
    CONNACK,
    DISCONNECT,
    DUP,
    PINGREQ,
    PINGRESP,
    PUBACK,
    PUBLISH,
    PUBREL,
    RETAIN,
    enter,
    field,
    packet,
    properties,
    publish,
    subscribe,
    unsubscribe,
)
from protocol.statements import case

MALFORMED, PROTOCOL_ERROR, TOPIC_NAME_INVALID, RETAIN_NOT_SUPPORTED = 0x81, 0x82, 0x90, 0x9A

NO_UTF8 = b"/\xc3\x28"
SURROGATE = b"/\xed\xa0\x80"
NULL = "/a\0b"


def flagged(right, flags):
    """The same packet with other flags in its fixed header."""
    return bytes([right[0] & 0xF0 | flags]) + right[1:]


def filtered(make, topic_filter):
    return lambda level: make(1, [topic_filter], level)


def published(topic="/a", packet_id=1, **options):
    return lambda level: publish(topic, b"x", packet_id, level, **options)


FLAGS = [
    *case("PUBACK", lambda level: packet(PUBACK, b"\x00\x01", flags=1), MALFORMED, v3="2.2.2-2", v5="2.1.3-1"),
    *case("PUBREL", lambda level: packet(PUBREL, b"\x00\x01", flags=0), MALFORMED, v3="3.6.1-1", v5="3.6.1-1"),
    *case("SUBSCRIBE", lambda level: flagged(subscribe(1, ["/a"], level), 0), MALFORMED, v3="3.8.1-1", v5="3.8.1-1"),
    *case("UNSUBSCRIBE", lambda level: flagged(unsubscribe(1, ["/a"], level), 0), MALFORMED, v3="3.10.1-1", v5="3.10.1-1"),
    *case("PINGREQ", lambda level: packet(PINGREQ, flags=1), MALFORMED, v3="2.2.2-2", v5="2.1.3-1"),
    *case("DISCONNECT", lambda level: packet(DISCONNECT, flags=1), MALFORMED, v3="3.14.1-1", v5="3.14.1-1"),
    *case("AUTH", lambda level: packet(AUTH, b"\x18\x00", flags=1), MALFORMED, v5="3.15.1-1"),
]

TEXTS = [
    *case("a topic that is no UTF-8", published(NO_UTF8), MALFORMED, v3="1.5.3-1 3.3.2-1", v5="1.5.4-1 3.3.2-1"),
    *case("a topic with a surrogate", published(SURROGATE), MALFORMED, v3="1.5.3-1", v5="1.5.4-1"),
    *case("a topic with a null", published(NULL), MALFORMED, v3="1.5.3-2 4.7.3-2", v5="1.5.4-2 4.7.3-2"),
    *case("a topic with a +", published("/a/+"), TOPIC_NAME_INVALID, v3="3.3.2-2 4.7.1-1", v5="3.3.2-2 4.7.0-1"),
    *case("a topic with a #", published("/a/#"), TOPIC_NAME_INVALID, v3="3.3.2-2 4.7.1-1", v5="3.3.2-2 4.7.0-1"),
    *case("no topic", published(""), None, v3="4.7.3-1", v5="4.7.3-1"),
    *case("no room for a topic", lambda level: packet(PUBLISH, b""), MALFORMED, v3="3.3.2-1", v5="3.3.2-1"),
    *case("a filter that is no UTF-8", filtered(subscribe, NO_UTF8), MALFORMED, v3="1.5.3-1 3.8.3-1", v5="1.5.4-1 3.8.3-1"),
    *case("a filter with a null", filtered(subscribe, NULL), MALFORMED, v3="1.5.3-2 4.7.3-2", v5="1.5.4-2 4.7.3-2"),
    *case("no filter", filtered(subscribe, ""), MALFORMED, v3="4.7.3-1", v5="4.7.3-1"),
    *case("a filter to leave that is no UTF-8", filtered(unsubscribe, NO_UTF8), MALFORMED, v3="3.10.3-1", v5="3.10.3-1"),
    *case("a filter to leave with a null", filtered(unsubscribe, NULL), MALFORMED, v3="1.5.3-2", v5="1.5.4-2"),
    *case("a content type that is no UTF-8", published(extra=b"\x03" + field(NO_UTF8)), MALFORMED, v5="3.3.2-19"),
    *case("a response topic that is no UTF-8", published(extra=b"\x08" + field(NO_UTF8)), MALFORMED, v5="3.3.2-13"),
    *case("a response topic with a +", published(extra=b"\x08" + field("/a/+")), PROTOCOL_ERROR, v5="3.3.2-14"),
    *case("a user property that is no UTF-8", published(extra=b"\x26" + field(NO_UTF8) + field("")), MALFORMED, v5="1.5.7-1"),
    *case("a user property with a null", published(extra=b"\x26" + field(NULL) + field("")), MALFORMED, v5="1.5.7-1"),
]

PACKETS = [
    *case("a PUBLISH of QoS 3", lambda level: flagged(publish("/a", b"x", 1, level), 6), MALFORMED, v3="3.3.1-4", v5="3.3.1-4"),
    *case("a PUBLISH of packet id 0", published(packet_id=0), MALFORMED, v3="2.3.1-1", v5="2.2.1-3"),
    *case("a PUBLISH of QoS 0 that is there again", published(packet_id=None, flags=DUP), MALFORMED, v3="3.3.1-2", v5="3.3.1-2"),
    *case("a PUBLISH to be retained", published(flags=RETAIN), RETAIN_NOT_SUPPORTED, v5="4.13.1-1"),
    *case("a PUBLISH with a subscription's identifier", published(extra=b"\x0b\x01"), PROTOCOL_ERROR, v5="3.3.4-6"),
    *case("a SUBSCRIBE of packet id 0", lambda level: subscribe(0, ["/a"], level), MALFORMED, v3="2.3.1-1", v5="2.2.1-3"),
    *case("a SUBSCRIBE of nothing", lambda level: subscribe(1, [], level), MALFORMED, v3="3.8.3-3", v5="3.8.3-2"),
    *case("a SUBSCRIBE of QoS 3", lambda level: subscribe(1, ["/a"], level, options=3), MALFORMED, v3="3.8.3-4", v5="4.13.1-1"),
    *case("a SUBSCRIBE with reserved bits", lambda level: subscribe(1, ["/a"], level, options=0xC0), MALFORMED, v3="3.8.3-4", v5="3.8.3-5"),
    *case("a SUBSCRIBE with options of MQTT 5", lambda level: subscribe(1, ["/a"], level, options=4), MALFORMED, v3="3.8.3-4"),
    *case(
        "a shared subscription without its own messages",
        lambda level: subscribe(1, ["$share/all/a"], level, options=4),
        PROTOCOL_ERROR,
        v5="3.8.3-4",
    ),
    *case("an UNSUBSCRIBE of packet id 0", lambda level: unsubscribe(0, ["/a"], level), MALFORMED, v3="2.3.1-1", v5="2.2.1-3"),
    *case("an UNSUBSCRIBE of nothing", lambda level: unsubscribe(1, [], level), MALFORMED, v3="3.10.3-2", v5="3.10.3-2"),
    *case("a CONNACK", lambda level: packet(CONNACK, b"\x00\x00" + properties(level)), PROTOCOL_ERROR, v3="4.8.0-1", v5="4.13.1-1"),
    *case("a PINGRESP", lambda level: packet(PINGRESP), PROTOCOL_ERROR, v3="4.8.0-1", v5="4.13.1-1"),
    *case("an AUTH", lambda level: packet(AUTH, b"\x18\x00"), PROTOCOL_ERROR, v5="4.13.1-1"),
]


@pytest.mark.shows(v3="4.8.0-1", v5="3.14.2-1 3.14.2-2 3.14.4-1 3.14.4-2 4.13.1-1 4.13.2-1")
@pytest.mark.parametrize(("level", "make", "code"), [*FLAGS, *TEXTS, *PACKETS])
def test_a_packet_that_breaks_a_rule_ends_its_connection(platform, boiler, level, make, code):
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        device.send(make(level))
        packets = device.until_closed()
    if level == 4:
        assert packets == []
    else:
        ((first, body),) = packets
        assert first == DISCONNECT << 4 and code in (None, body[0]), (first, body)
        assert b"\x11" not in body[2:3], "no session expiry from a server"
