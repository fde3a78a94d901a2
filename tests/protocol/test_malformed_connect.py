"""A CONNECT that is not as section 3.1 says ends its connection, and nobody is let in."""

import pytest

from hoshu.credentials import credentials
from hoshu.wire import CONNACK, CONNECT, Stream, field, packet, properties
from protocol.statements import case

NO_UTF8 = b"\xc3\x28"
SURROGATE = b"\xed\xa0\x80"
PROPERTY = b"\x26"  # of a user


class Parts:
    """What a CONNECT is put together of."""

    def __init__(self, shown, level):
        self.level = level
        self.client_id, self.username, self.password = (field(one) for one in vars(shown).values())

    def connect(self, *payload, name="MQTT", flags=0xC2, extra=b""):
        payload = payload or (self.client_id, self.username, self.password)
        head = field(name) + bytes([self.level, flags]) + b"\x00\x3c" + properties(self.level, extra)
        return packet(CONNECT, head + b"".join(payload))

    def of_client_id(self, client_id):
        return self.connect(field(client_id), self.username, self.password)

    def of_username(self, username):
        return self.connect(self.client_id, field(username), self.password)

    def of_will(self, topic):
        will = properties(self.level) + field(topic) + field("gone")
        return self.connect(self.client_id, will, self.username, self.password, flags=0xC6)

    def of_will_flags(self, flags):
        will = properties(self.level) + field("/gone") + field("gone")
        return self.connect(self.client_id, will, self.username, self.password, flags=0xC2 | flags)


MALFORMED = [
    *case("another protocol", lambda its: its.connect(name="mqtt"), v3="3.1.2-1", v5="3.1.2-1"),
    *case("the reserved flag", lambda its: its.connect(flags=0xC3), v3="3.1.2-3", v5="3.1.2-3"),
    *case("the QoS of no will", lambda its: its.connect(flags=0xCA), v3="3.1.2-11 3.1.2-13", v5="3.1.2-11"),
    *case("the retain flag of no will", lambda its: its.connect(flags=0xE2), v3="3.1.2-15", v5="3.1.2-13"),
    *case("a will of QoS 3", lambda its: its.of_will_flags(0x1C), v3="3.1.2-14", v5="3.1.2-12"),
    *case("no will behind its flag", lambda its: its.connect(flags=0xC6), v3="3.1.2-9", v5="3.1.2-9"),
    *case("no user name behind its flag", lambda its: its.connect(its.client_id), v3="3.1.2-19", v5="3.1.2-17"),
    *case("no password behind its flag", lambda its: its.connect(its.client_id, its.username), v3="3.1.2-21", v5="3.1.2-19"),
    *case("no client id", lambda its: its.connect(b""), v3="3.1.3-3", v5="3.1.3-3"),
    *case("a client id that is no UTF-8", lambda its: its.of_client_id(NO_UTF8), v3="1.5.3-1 3.1.3-4", v5="1.5.4-1 3.1.3-4"),
    *case("a client id with a surrogate", lambda its: its.of_client_id(SURROGATE), v3="1.5.3-1", v5="1.5.4-1"),
    *case("a client id with a null", lambda its: its.of_client_id("a\0b|securemode=3|"), v3="1.5.3-2", v5="1.5.4-2"),
    *case("a user name that is no UTF-8", lambda its: its.of_username(NO_UTF8), v3="3.1.3-11", v5="3.1.3-12"),
    *case("a user name with a null", lambda its: its.of_username("a\0b&pk"), v3="1.5.3-2", v5="1.5.4-2"),
    *case("a will topic that is no UTF-8", lambda its: its.of_will(NO_UTF8), v3="3.1.3-10", v5="3.1.3-11"),
    *case("a will topic with a null", lambda its: its.of_will("/a\0b"), v3="1.5.3-2", v5="1.5.4-2"),
    *case("a property that is no UTF-8", lambda its: its.connect(extra=PROPERTY + field(NO_UTF8) + field("")), v5="1.5.7-1"),
    *case("a property with a null", lambda its: its.connect(extra=PROPERTY + field("a\0b") + field("")), v5="1.5.7-1"),
]


@pytest.mark.shows(v3="3.1.4-1 3.2.2-6", v5="3.1.4-1 3.14.0-1")
@pytest.mark.parametrize(("level", "make"), MALFORMED)
def test_a_malformed_connect_is_closed_without_a_word(platform, boiler, level, make):
    with Stream(platform.mqtt_port) as stranger:
        stranger.send(make(Parts(credentials(boiler), level)))
        assert stranger.until_closed() == []


CONTRADICTIONS = [
    *case("no user name and no flag of it", lambda its: its.connect(its.client_id, flags=0x02), v3="3.1.2-18", v5="3.1.2-16"),
    *case("no password and no flag of it", lambda its: its.connect(its.client_id, its.username, flags=0x82), v3="3.1.2-20", v5="3.1.2-18"),
    *case("a user name behind no flag", lambda its: its.connect(its.client_id, its.username, flags=0x02), v3="3.1.2-18", v5="3.1.2-16"),
    *case("a password behind no flag", lambda its: its.connect(flags=0x82), v3="3.1.2-20", v5="3.1.2-18"),
    *case("a password without a user name", lambda its: its.connect(its.client_id, its.password, flags=0x42), v3="3.1.2-22"),
]


@pytest.mark.parametrize(("level", "make"), CONTRADICTIONS)
def test_a_connect_whose_flags_name_no_credentials_lets_nobody_in(platform, boiler, level, make):
    with Stream(platform.mqtt_port) as stranger:
        stranger.send(make(Parts(credentials(boiler), level)))
        for first, answer in stranger.until_closed():
            assert first >> 4 == CONNACK and answer[1] != 0, (first, answer)
