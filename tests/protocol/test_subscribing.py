"""SUBSCRIBE and UNSUBSCRIBE, and which filter brings what (sections 3.8 to 3.11 and 4.7)."""

import pytest

from hoshu.background import in_background
from hoshu.credentials import credentials
from hoshu.wait import until
from hoshu.wire import (
    QOS_1,
    SUBACK,
    SUBSCRIBE,
    UNSUBACK,
    enter,
    field,
    message,
    packet,
    properties,
    puback,
    subscribe,
    unsubscribe,
)
from protocol.telling import SET, ask_time, refused_as_unsubscribed, set_point, time_topic, value_of
from protocol.versions import BOTH

FOREIGN = {4: 0x80, 5: 0x87}
ILL_FORMED = {4: 0x80, 5: 0x8F}


@pytest.fixture
def quiet(platform, boiler):
    """Lets the boiler in without subscriptions."""
    entered = []

    def enter_quietly(level, **options):
        entered.append(enter(platform.mqtt_port, credentials(boiler, _ss=0), level, **options))
        until(lambda: boiler.status == "ONLINE", "online")
        return entered[-1]

    yield enter_quietly
    for device in entered:
        device.close()


def answered(device, kind, packet_id, level):
    """The codes of a SUBACK or UNSUBACK, each with the packet id of what it answers."""
    first, body = device.receive()
    assert first == kind << 4 and body[:2] == packet_id.to_bytes(2, "big"), (first, body)
    if level == 4:
        return list(body[2:])
    assert body[2] == 0, "no properties"
    return list(body[3:])


def subscribed(device, topic_filter, level, qos=1):
    device.send(subscribe(300, [topic_filter], level, options=qos))
    return answered(device, SUBACK, 300, level)


@pytest.mark.shows(
    v3="2.2.2-1 2.3.1-7 3.8.4-1 3.8.4-2 3.8.4-4 3.8.4-5 3.9.3-1 3.9.3-2",
    v5="2.2.1-6 2.2.2-1 3.2.2-10 3.8.4-1 3.8.4-2 3.8.4-5..7 3.9.3-1 3.9.3-2",
)
@BOTH
def test_a_suback_tells_of_each_filter_in_their_order(boiler, quiet, level):
    device = quiet(level)
    asked = [(boiler.user_topic("get"), 0), ("/foreign/topic", 1), (boiler.topic("#"), 1), ("#", 0), (boiler.topic(SET), 2)]
    body = b"".join(field(topic_filter) + bytes([qos]) for topic_filter, qos in asked)
    device.send(packet(SUBSCRIBE, b"\xff\xfe" + properties(level) + body))
    assert answered(device, SUBACK, 0xFFFE, level) == [0, FOREIGN[level], 1, FOREIGN[level], 1]


@pytest.mark.shows(
    v3="3.10.4-4 3.10.4-5 3.10.4-6 3.10.4-1",
    v5="3.10.4-1 3.10.4-4..6 3.11.3-1 3.11.3-2",
)
@BOTH
def test_an_unsuback_tells_of_each_filter_whether_it_was_there_letter_by_letter(boiler, quiet, level):
    device = quiet(level)
    topic = boiler.user_topic("get")
    assert subscribed(device, topic, level) == [1]
    device.send(unsubscribe(0xFFFE, [topic.upper(), topic, f"{topic}/", topic], level))
    assert answered(device, UNSUBACK, 0xFFFE, level) == ([] if level == 4 else [0x11, 0, 0x11, 0x11])


ILL_FORMED_FILTERS = ["{}/a#", "{}/#/a", "{}/a+", "{}/+a/b", "{}#"]


@pytest.mark.shows(v3="4.7.1-2 4.7.1-3", v5="4.7.1-1 4.7.1-2")
@BOTH
@pytest.mark.parametrize("ill_formed", ILL_FORMED_FILTERS)
def test_a_filter_with_a_wildcard_where_none_may_be_is_not_granted(boiler, quiet, level, ill_formed):
    assert subscribed(quiet(level), ill_formed.format(boiler.user_topic("get")), level) == [ILL_FORMED[level]]


@pytest.mark.shows(v3="4.7.3-4", v5="4.7.3-4")
@BOTH
def test_a_filter_that_differs_in_a_slash_or_a_letter_brings_nothing(boiler, quiet, level):
    device = quiet(level)
    near = [f"{boiler.topic('thing/service/property/+')}/", boiler.topic("thing/service/+/SET"), boiler.topic("thing//service/+/set")]
    for topic_filter in near:
        assert subscribed(device, topic_filter, level) == [1]
    refused_as_unsubscribed(boiler)
    assert subscribed(device, boiler.topic(SET), level) == [1], "nothing before this answer"
    telling = in_background(set_point, boiler, 6)
    assert value_of(device.receive(), level) == 6
    telling.result(30)


@pytest.mark.shows(v3="3.3.1-9 3.3.2-3 3.3.5-1 4.5.0-1", v5="3.3.1-12 3.3.2-3 3.3.4-2 4.5.0-1")
@BOTH
def test_filters_that_overlap_bring_one_message_with_the_highest_qos(boiler, quiet, level):
    device = quiet(level)
    for topic_filter, qos in [("#", 0), (SET, 1), ("thing/service/+/set", 0)]:
        assert subscribed(device, boiler.topic(topic_filter), level, qos) == [qos]
    telling = in_background(set_point, boiler, 5)
    told = message(device.receive(), level)
    assert told.topic == boiler.topic(SET) and told.flags == QOS_1, "neither again nor retained"
    device.send(puback(told.packet_id))
    telling.result(30)
    assert subscribed(device, boiler.topic("#"), level) == [1], "no second before this answer"


@pytest.mark.shows(v3="3.8.4-3 3.8.4-6", v5="3.8.4-3 3.8.4-8")
@BOTH
def test_a_filter_subscribed_again_is_replaced_and_the_lower_qos_counts(boiler, quiet, level):
    device = quiet(level)
    for value, qos in [(1, 1), (2, 0), (3, 2)]:
        assert subscribed(device, boiler.topic(SET), level, qos) == [min(qos, 1)]
        telling = in_background(set_point, boiler, value)
        told = message(device.receive(), level)
        assert told.flags == (QOS_1 if qos else 0)
        if told.packet_id:
            device.send(puback(told.packet_id))
        telling.result(30)
    # What is answered with QoS 0 comes so, whatever was granted.
    assert subscribed(device, time_topic(boiler, "response"), level) == [1]
    device.send(ask_time(boiler, level))
    told = message(device.receive(), level)
    assert told.flags == 0 and told.packet_id is None


@pytest.mark.shows(v3="3.10.4-2 3.10.4-3", v5="3.10.4-2 3.10.4-3")
@BOTH
def test_who_unsubscribes_gets_nothing_new_and_may_still_acknowledge_what_it_has(boiler, quiet, level):
    device = quiet(level)
    assert subscribed(device, boiler.topic(SET), level) == [1]
    telling = in_background(set_point, boiler, 5)
    begun = message(device.receive(), level)
    device.send(unsubscribe(7, [boiler.topic(SET)], level))
    answered(device, UNSUBACK, 7, level)
    device.send(puback(begun.packet_id))
    telling.result(30)
    refused_as_unsubscribed(boiler)
    assert subscribed(device, boiler.topic("#"), level) == [1], "nothing before this answer"
