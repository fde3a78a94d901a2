"""Wills: published when a connection ends without a goodbye, and only then."""

import pytest

from hoshu.credentials import credentials
from hoshu.wait import until
from hoshu.wire import GOODBYE, PUBACK, enter, publish
from protocol.versions import BOTH, HOUR


def topics_said(platform, boiler, logs, level):
    """The topics of all that the device has said, when its last word is there."""
    last = boiler.user_topic("last")
    with enter(platform.mqtt_port, credentials(boiler), level) as device:
        device.send(publish(last, b"x", 1, level))
        device.expect(PUBACK)
        device.send(GOODBYE)

    def said():
        topics = [line["detail"]["topic"] for line in logs.lines(type="UPSTREAM", deviceName=boiler.device_name)]
        return topics if last in topics else None

    return [topic for topic in until(said, "its last word") if topic != last]


@pytest.mark.shows(v3="3.1.2-8 3.1.3-1", v5="3.1.2-7 3.1.2-8 3.1.3-1")
@BOTH
def test_a_will_is_published_once_when_the_link_breaks(platform, boiler, logs, level):
    will = boiler.user_topic("gone")
    enter(platform.mqtt_port, credentials(boiler), level, will=(will, b"x")).close()
    until(lambda: logs.lines(type="UPSTREAM", deviceName=boiler.device_name), "its line")
    assert topics_said(platform, boiler, logs, level) == [will]


@pytest.mark.shows(v3="3.1.2-10 3.14.4-3", v5="3.1.2-10 3.14.4-3")
@BOTH
def test_a_goodbye_takes_the_will_back(platform, boiler, logs, level):
    with enter(platform.mqtt_port, credentials(boiler), level, will=(boiler.user_topic("gone"), b"x")) as device:
        device.send(GOODBYE)
        assert device.until_closed() == []
    assert topics_said(platform, boiler, logs, level) == []


@pytest.mark.shows(v3="3.1.2-12")
@BOTH
def test_who_has_no_will_leaves_no_message(platform, boiler, logs, level):
    enter(platform.mqtt_port, credentials(boiler), level).close()
    logs.offline_reason(boiler)
    assert topics_said(platform, boiler, logs, level) == []


@pytest.mark.shows(v5="3.1.3-9")
def test_a_device_that_comes_back_within_the_delay_takes_its_will_back(platform, boiler, logs):
    minute = b"\x18\x00\x00\x00\x3c"
    will = (boiler.user_topic("gone"), b"x")
    enter(platform.mqtt_port, credentials(boiler), 5, will=will, will_extra=minute, extra=HOUR).close()
    logs.offline_reason(boiler)
    assert topics_said(platform, boiler, logs, 5) == []
