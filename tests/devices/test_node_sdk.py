"""Alibaba's Node SDK, unmodified (alibabacloud-iot-device-sdk 1.2.8)."""

import json

import pytest

from devices.node_sdk import NodeSdk
from hoshu.background import in_background
from hoshu.logs import REPORT_UP, RRPC, RRPC_FINISHED, TO_DEVICE, reported, sent
from hoshu.model import REPORT
from hoshu.wait import PATIENCE_SECONDS, until

SELF_TEST = {"ok": 1, "log": ["valve", "igniter"]}
SERVICES = [
    {"identifier": "Purge", "type": "async", "data": {}},
    {"identifier": "SelfTest", "type": "sync", "data": SELF_TEST},
]


@pytest.fixture
def sdk(platform, boiler, tls):
    device = NodeSdk(platform, boiler, tls, SERVICES).connect()
    yield device
    device.close()


def subscribed(sdk):
    """Until its SUBSCRIBEs are answered; they go out in order, so this one is the last."""
    topic = sdk.device.user_topic("get")
    sdk.do("subscribe", topic=topic)
    (granted,) = sdk.told("granted")["granted"]
    assert granted["qos"] == 1


def test_a_post_is_answered_stored_and_found_in_the_log(sdk, boiler, logs):
    subscribed(sdk)
    reply = sdk.post(REPORT)
    assert (reply["code"], reply["message"], reply["data"]) == (200, "success", {})
    assert "|exp-topic|" in reply["id"], "its ids are no numbers, and come back as they are"
    until(lambda: boiler.properties() == REPORT, lambda: f"the values, but {boiler.properties()}")
    lines = logs.expect_of(boiler, reply["id"], REPORT_UP, reported(200), TO_DEVICE)
    up = next(line for line in lines if line["type"] == "UPSTREAM")
    assert (up["detail"]["qos"], up["detail"]["protocolMessageId"]) == (0, 0)
    down = next(line for line in lines if line["type"] == "DOWNSTREAM")
    assert down["content"] == "Publish message to device,QoS=0", "a reply has its request's QoS"


def test_it_is_set_and_need_not_answer(sdk, boiler, rest, logs):
    subscribed(sdk)
    answer = rest.post(f"{boiler.path}/properties", {"params": {"setpoint": 7.5}, "waitSeconds": 1})
    received = sdk.told("set")["set"]
    assert (received["params"], received["method"]) == ({"setpoint": 7.5}, "thing.service.property.set")
    assert answer["answered"] is False and "code" not in answer
    logs.expect(answer["messageId"], TO_DEVICE, sent())


def test_it_answers_a_set_by_its_application(sdk, boiler, rest, logs):
    subscribed(sdk)
    asked = in_background(rest.post, f"{boiler.path}/properties", {"params": {"mode": 2}, "waitSeconds": 30})
    received = sdk.told("set")["set"]
    reply = {"id": received["id"], "code": 200, "data": {}}
    topic = boiler.topic("thing/service/property/set_reply")
    # As applications do: the SDK has no function for it, and publishes whatever text it is given.
    sdk.do("publish", topic=topic, payload=json.dumps(reply), qos=0)
    answer = asked.result(PATIENCE_SECONDS)
    assert (answer["answered"], answer["code"]) == (True, 200)
    logs.expect(answer["messageId"], TO_DEVICE, sent(), REPORT_UP, reported(200))


def test_it_answers_an_asynchronous_service(sdk, boiler, rest, logs):
    subscribed(sdk)
    answer = rest.post(f"{boiler.path}/services/Purge", {"params": {"seconds": 30}, "waitSeconds": 30})
    assert (answer["answered"], answer["code"]) == (True, 200)
    call = sdk.told("call")
    assert (call["identifier"], call["call"]["params"]) == ("Purge", {"seconds": 30})
    logs.expect(answer["messageId"], TO_DEVICE, sent(), REPORT_UP, reported(200))


def test_it_answers_a_synchronous_service(sdk, boiler, rest, logs):
    subscribed(sdk)
    answer = rest.post(f"{boiler.path}/services/SelfTest", {"params": {}, "timeoutSeconds": 8})
    assert (answer["answered"], answer["code"], answer["data"]) == (True, 200, SELF_TEST)
    lines = logs.expect(answer["messageId"], RRPC, sent(), RRPC_FINISHED, REPORT_UP, reported(200))
    up = next(line for line in lines if line["type"] == "UPSTREAM")
    assert up["detail"]["topic"].startswith(boiler.topic("rrpc/response/")), "the SDK connected without ext"


def test_it_raises_an_event(sdk, boiler, rest, logs):
    subscribed(sdk)
    reply = sdk.raise_event("OverPressure", {"peak": 17.5})
    assert (reply["code"], reply["message"]) == (200, "success")
    (event,) = until(lambda: rest.get(f"{boiler.path}/events")["items"], "the event")
    assert (event["identifier"], event["data"]) == ("OverPressure", {"peak": 17.5})
    logs.expect_of(boiler, reply["id"], REPORT_UP, reported(200), TO_DEVICE)


def test_it_is_kicked_by_the_same_device(sdk, platform, boiler, tls, logs):
    subscribed(sdk)
    second = NodeSdk(platform, boiler, tls).connect()
    try:
        sdk.told("close")
        kicked = logs.offline_reason(boiler)
        assert (kicked["reason"], kicked["status"]) == ("Kicked by the same device", "FAILURE")
    finally:
        sdk.close()
        second.close()


def test_its_session_is_kept_while_it_is_away(sdk, platform, boiler, tls, rest, logs):
    """It connects with clean session false, and another time stamp in its client id each time."""
    subscribed(sdk)
    sdk.do("end")
    logs.offline_reason(boiler)
    again = NodeSdk(platform, boiler, tls, SERVICES).connect()
    try:
        until(lambda: boiler.status == "ONLINE", "the device online")
        answer = rest.post(f"{boiler.path}/services/Purge", {"params": {"seconds": 5}, "waitSeconds": 30})
        assert answer["answered"] is True
        again.told("call")
    finally:
        again.close()
