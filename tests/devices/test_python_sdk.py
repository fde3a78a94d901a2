"""Alibaba's Python SDK, unmodified (aliyun-iot-linkkit 1.2.13 on paho-mqtt 1.6.1)."""

import pytest

from devices.python_sdk import PythonSdk
from hoshu.background import in_background
from hoshu.logs import REPORT_UP, RRPC, RRPC_FINISHED, TO_DEVICE, reported, sent
from hoshu.model import REPORT
from hoshu.wait import PATIENCE_SECONDS, until


@pytest.fixture
def sdk(platform, boiler, tls, model_file):
    kit = PythonSdk(platform, boiler, tls, model_file).connect()
    yield kit
    kit.close()


def test_it_connects_and_the_device_is_online(sdk, boiler):
    until(lambda: boiler.status == "ONLINE", "the device online")
    now = boiler.now()
    assert now["activatedAt"] and now["lastOnlineAt"]
    assert now["clientAddress"].startswith("127.0.0.1")


def test_a_post_is_answered_stored_and_found_in_the_log(sdk, boiler, logs):
    request_id, code, data, message = sdk.post(REPORT)
    assert (code, data, message) == (200, {}, "success")
    until(lambda: boiler.properties() == REPORT, lambda: f"the values, but {boiler.properties()}")
    lines = logs.expect_of(boiler, request_id, REPORT_UP, reported(200), TO_DEVICE)
    up = next(line for line in lines if line["type"] == "UPSTREAM")
    assert up["detail"]["topic"] == boiler.topic("thing/event/property/post")
    assert up["detail"]["qos"] == 1 and up["detail"]["protocolMessageId"] > 0
    tsl = next(line for line in lines if line["type"] == "TSL")
    assert tsl["detail"]["params"] == REPORT
    assert tsl["detail"]["method"] == "thing.event.property.post"
    assert tsl["detail"]["direction"] == "UPSTREAM"


def test_a_wrong_post_is_answered_with_its_code_and_what_is_wrong(sdk, boiler, logs):
    request_id, code, data, message = sdk.post({"pressure": 99})
    assert code == 6307
    assert message and "pressure" in data
    logs.expect_of(boiler, request_id, REPORT_UP, reported(6307), TO_DEVICE)
    assert boiler.properties() == {}


def test_it_is_set_and_its_own_answer_comes_back(sdk, boiler, rest, logs):
    until(lambda: boiler.status == "ONLINE", "the device online")
    answer = rest.post(f"{boiler.path}/properties", {"params": {"setpoint": 7.5}})
    assert sdk.sets.get(timeout=PATIENCE_SECONDS) == {"setpoint": 7.5}
    assert (answer["answered"], answer["code"], answer["data"]) == (True, 200, {})
    assert boiler.properties() == {}, "only a report changes the latest value"
    logs.expect(answer["messageId"], TO_DEVICE, sent(), REPORT_UP, reported(200))


def test_it_answers_an_asynchronous_service(sdk, boiler, rest, logs):
    until(lambda: boiler.status == "ONLINE", "the device online")
    asked = in_background(rest.post, f"{boiler.path}/services/Purge", {"params": {"seconds": 30}, "waitSeconds": 30})
    identifier, request_id, params = sdk.calls.get(timeout=PATIENCE_SECONDS)
    assert (identifier, params) == ("Purge", {"seconds": 30})
    assert sdk.kit.thing_answer_service("Purge", request_id, 200, {}) == 0
    answer = asked.result(PATIENCE_SECONDS)
    assert (answer["answered"], answer["code"]) == (True, 200)
    logs.expect(answer["messageId"], TO_DEVICE, sent(), REPORT_UP, reported(200))


def test_it_answers_a_synchronous_service(sdk, boiler, rest, logs):
    until(lambda: boiler.status == "ONLINE", "the device online")
    asked = in_background(rest.post, f"{boiler.path}/services/SelfTest", {"params": {}, "timeoutSeconds": 8})
    identifier, request_id, params = sdk.calls.get(timeout=PATIENCE_SECONDS)
    assert (identifier, params) == ("SelfTest", {})
    outputs = {"ok": 1, "log": ["valve", "igniter"]}
    assert sdk.kit.thing_answer_service("SelfTest", request_id, 200, outputs) == 0
    answer = asked.result(PATIENCE_SECONDS)
    assert (answer["answered"], answer["code"], answer["data"]) == (True, 200, outputs)
    lines = logs.expect(answer["messageId"], RRPC, sent(), RRPC_FINISHED, REPORT_UP, reported(200))
    up = next(line for line in lines if line["type"] == "UPSTREAM")
    assert up["detail"]["topic"].startswith("/ext/rrpc/"), "the SDK connected with ext=1"


def test_it_raises_an_event(sdk, boiler, rest, logs):
    _, request_id, code, _, message = sdk.raise_event("OverPressure", {"peak": 17.5})
    assert (code, message) == (200, "success")
    (event,) = until(lambda: rest.get(f"{boiler.path}/events")["items"], "the event")
    assert (event["identifier"], event["type"], event["data"]) == ("OverPressure", "ALERT", {"peak": 17.5})
    lines = logs.expect_of(boiler, request_id, REPORT_UP, reported(200), TO_DEVICE)
    assert {line["messageId"] for line in lines} == {event["messageId"]}


def test_a_second_connection_of_the_same_device_kicks_the_first(sdk, platform, boiler, tls, model_file, logs):
    second = PythonSdk(platform, boiler, tls, model_file).connect()
    try:
        sdk.disconnects.get(timeout=PATIENCE_SECONDS)
        kicked = logs.offline_reason(boiler)
        assert (kicked["reason"], kicked["status"]) == ("Kicked by the same device", "FAILURE")
    finally:
        sdk.close()
        second.close()


def test_a_goodbye_is_a_device_disconnect(sdk, boiler, logs):
    sdk.kit.disconnect()
    gone = logs.offline_reason(boiler)
    assert (gone["reason"], gone["status"]) == ("Device disconnect", "SUCCESS")
    until(lambda: boiler.status == "OFFLINE", "the device offline")
    assert boiler.now()["lastOfflineAt"]


def test_messages_of_its_own_topics_go_up(sdk, boiler, logs):
    topic = boiler.user_topic("update")
    assert sdk.kit.publish_topic(topic, "any bytes")[0] == 0
    (line,) = until(lambda: logs.lines(type="UPSTREAM", deviceName=boiler.device_name), "its line")
    assert line["status"] == "SUCCESS"
    assert line["detail"]["topic"] == topic
    logs.expect(line["messageId"], REPORT_UP)
