"""Property sets and service calls: every refusal, every way in which they can end."""

import pytest

from hoshu.background import in_background
from hoshu.logs import (
    REPORT_UP,
    RRPC,
    RRPC_FAILED,
    RRPC_FINISHED,
    TO_DEVICE,
    Logs,
    reported,
    sent,
)
from hoshu.model import boiler as boiler_model
from hoshu.mqtt import V5, connect
from hoshu.rest import problem_of
from hoshu.things import make_boiler, make_product
from hoshu.wait import PATIENCE_SECONDS, until


def is_online(device):
    until(lambda: device.status == "ONLINE", f"{device.device_name} online")


def refusal_line(logs, device, code):
    """A set or call that is refused before sending leaves one TSL line with the code."""
    (line,) = until(lambda: logs.lines(type="TSL", deviceName=device.device_name), f"the line of the {code}")
    assert (line["code"], line["status"], line["detail"]["direction"]) == (code, "FAILURE", "DOWNSTREAM")
    logs.expect(line["messageId"], sent(code))


@pytest.mark.parametrize("what", ["properties", "services/Purge", "services/SelfTest"])
def test_a_device_that_never_connected_is_9200(rest, boiler, logs, what):
    problem = rest.refused("POST", f"{boiler.path}/{what}", 409, 9200, body={"params": {}})
    assert "never" in problem["detail"] or "activated" in problem["detail"]
    refusal_line(logs, boiler, 9200)


@pytest.mark.parametrize("what", ["properties", "services/Purge", "services/SelfTest"])
def test_a_device_that_is_away_is_9201(platform, rest, boiler, logs, what):
    connect(platform, boiler).disconnect()
    until(lambda: boiler.status == "OFFLINE", "offline")
    rest.refused("POST", f"{boiler.path}/{what}", 409, 9201, body={"params": {}})
    refusal_line(logs, boiler, 9201)


@pytest.mark.parametrize("what", ["properties", "services/Purge", "services/SelfTest"])
def test_a_device_that_is_disabled_is_6208_before_anything_else(rest, boiler, logs, what):
    rest.post(f"{boiler.path}/disable")
    rest.refused("POST", f"{boiler.path}/{what}", 409, 6208, body={"params": {"nothing": 1}})
    refusal_line(logs, boiler, 6208)


def test_without_a_published_model_it_is_6206(platform, rest):
    product = make_product(rest)
    rest.put(f"{product.path}/tsl", boiler_model())
    device = product.device()
    with connect(platform, device):
        is_online(device)
        rest.refused("POST", f"{device.path}/properties", 400, 6206, body={"params": {"setpoint": 5}})
        rest.refused("POST", f"{device.path}/services/Purge", 400, 6206, body={"params": {"seconds": 5}})


def test_without_services_in_the_model_it_is_6206(platform, rest):
    product = make_product(rest, {**boiler_model(), "services": []})
    device = product.device()
    with connect(platform, device):
        is_online(device)
        rest.refused("POST", f"{device.path}/services/Purge", 400, 6206, body={"params": {}})


def test_a_raw_product_without_a_script_is_6200(platform, rest):
    product = make_product(rest, boiler_model(), data_format="CUSTOM")
    device = product.device()
    with connect(platform, device):
        is_online(device)
        rest.refused("POST", f"{device.path}/properties", 400, 6200, body={"params": {"setpoint": 5}})
        rest.refused("POST", f"{device.path}/services/Purge", 400, 6200, body={"params": {"seconds": 5}})
        rest.refused("POST", f"{device.path}/services/SelfTest", 400, 6200, body={"params": {}})


REFUSED = [
    ("services/Nothing", {}, 6300, ""),
    ("services/set", {}, 6300, ""),
    ("services/get", {}, 6300, ""),
    ("properties", {"nothing": 1}, 6320, "/nothing"),
    ("properties", {"pressure": 5}, 460, "/pressure"),
    ("properties", {"setpoint": 13}, 6307, "/setpoint"),
    ("properties", {"setpoint": "7"}, 6307, "/setpoint"),
    ("properties", {"mode": 3}, 6309, "/mode"),
    ("properties", {"label": "x" * 65}, 6310, "/label"),
    ("properties", {"lastService": 5}, 6311, "/lastService"),
    ("services/Purge", {"seconds": 0}, 6306, "/seconds"),
    ("services/Purge", {"seconds": "30"}, 6306, "/seconds"),
    ("services/Purge", {"seconds": 5, "minutes": 1}, 6304, "/minutes"),
    ("services/SelfTest", {"deep": 1}, 6304, "/deep"),
]


@pytest.mark.parametrize(("what", "params", "code", "pointer"), REFUSED)
def test_input_that_does_not_fit_is_refused_and_nothing_is_sent(rest, online, logs, what, params, code, pointer):
    device, connection = online
    is_online(device)
    problem = rest.refused("POST", f"{device.path}/{what}", 400, code, body={"params": params})
    if pointer:
        assert any(error["pointer"].endswith(pointer) and error["code"] == code for error in problem["errors"]), problem
    refusal_line(logs, device, code)
    assert connection.inbox.empty()


def test_a_required_input_that_is_missing_is_6302(platform, rest):
    strict = boiler_model()
    strict["services"][0]["inputData"][0]["required"] = True
    device = make_product(rest, strict).device()
    with connect(platform, device):
        is_online(device)
        rest.refused("POST", f"{device.path}/services/Purge", 400, 6302, body={"params": {}})


@pytest.mark.parametrize("body", [
    {},
    {"params": []},
    {"params": 5},
    {"params": {"setpoint": 5}, "waitSeconds": 31},
    {"params": {"setpoint": 5}, "waitSeconds": -1},
    {"params": {"setpoint": 5}, "waitSeconds": "5"},
    {"params": {"setpoint": 5}, "timeoutSeconds": 5},
    {"parms": {"setpoint": 5}},
])
def test_an_ill_formed_request_is_refused(rest, online, body):
    device, connection = online
    is_online(device)
    response = rest.send("POST", f"{device.path}/properties", body=body)
    assert response.status_code == 400, response.text
    assert connection.inbox.empty()


@pytest.mark.parametrize("seconds", [0, 9, -1])
def test_a_synchronous_call_waits_one_to_eight_seconds(rest, online, seconds):
    device, _ = online
    is_online(device)
    body = {"params": {}, "timeoutSeconds": seconds}
    assert rest.send("POST", f"{device.path}/services/SelfTest", body=body).status_code == 400


@pytest.mark.parametrize("version", [4, V5], ids=["3.1.1", "5"])
def test_a_set_is_answered_by_the_device(platform, rest, boiler, logs, version):
    with connect(platform, boiler, version=version) as connection:
        is_online(boiler)
        asked = in_background(rest.post, f"{boiler.path}/properties", {"params": {"setpoint": 7.50, "mode": 1}, "waitSeconds": 30})
        topic, request = connection.receive()
        assert topic == boiler.topic("thing/service/property/set")
        assert request["method"] == "thing.service.property.set"
        assert request["params"] == {"setpoint": 7.5, "mode": 1} and request["version"] == "1.0"
        assert request["id"].isdigit() and int(request["id"]) <= 4294967295
        connection.publish(f"{topic}_reply", {"id": request["id"], "code": 200, "data": {}})
        answer = asked.result(PATIENCE_SECONDS)
        assert (answer["answered"], answer["code"], answer["data"]) == (True, 200, {})
        lines = logs.expect(answer["messageId"], TO_DEVICE, sent(), REPORT_UP, reported(200))
        own = [line for line in lines if line["type"] == "UPSTREAM"]
        assert own[0]["detail"]["answerId"] != answer["messageId"]


@pytest.mark.parametrize("code", [460, 500, 400, 429, 6452, 100001])
def test_the_devices_own_code_is_passed_on_in_a_200(rest, online, logs, code):
    device, connection = online
    is_online(device)
    asked = in_background(rest.post, f"{device.path}/services/Purge", {"params": {"seconds": 5}, "waitSeconds": 30})
    topic, request = connection.receive()
    connection.publish(f"{topic}_reply", {"id": request["id"], "code": code, "message": "not now", "data": {}})
    answer = asked.result(PATIENCE_SECONDS)
    assert (answer["answered"], answer["code"], answer["message"]) == (True, code, "not now")
    logs.expect(answer["messageId"], TO_DEVICE, sent(), REPORT_UP, reported(code))


def test_a_code_may_be_text_of_digits(rest, online):
    device, connection = online
    is_online(device)
    asked = in_background(rest.post, f"{device.path}/properties", {"params": {"mode": 1}, "waitSeconds": 30})
    topic, request = connection.receive()
    connection.publish(f"{topic}_reply", {"id": request["id"], "code": "200"})
    assert asked.result(PATIENCE_SECONDS)["code"] == 200


def test_no_answer_is_told_as_such_and_comes_later_into_the_log(rest, online, logs):
    device, connection = online
    is_online(device)
    answer = rest.post(f"{device.path}/properties", {"params": {"mode": 1}, "waitSeconds": 0})
    assert answer["answered"] is False
    assert "code" not in answer and "data" not in answer
    topic, request = connection.receive()
    logs.expect(answer["messageId"], TO_DEVICE, sent())
    connection.publish(f"{topic}_reply", {"id": request["id"], "code": 200, "data": {}})
    logs.expect(answer["messageId"], TO_DEVICE, sent(), REPORT_UP, reported(200))


def test_an_answer_is_never_given_to_another_call(rest, online, boilers, platform):
    device, connection = online
    is_online(device)
    other = boilers.device()
    with connect(platform, other) as foreign:
        is_online(other)
        asked = in_background(rest.post, f"{device.path}/services/Purge", {"params": {"seconds": 5}, "waitSeconds": 3})
        topic, request = connection.receive()
        # The same id from another device, and another id from this one.
        foreign.publish(other.topic("thing/service/Purge_reply"), {"id": request["id"], "code": 200, "data": {}})
        connection.publish(f"{topic}_reply", {"id": str(int(request["id"]) + 1), "code": 200, "data": {}})
        assert asked.result(PATIENCE_SECONDS)["answered"] is False


def test_calls_at_the_same_time_are_told_apart(rest, online):
    device, connection = online
    is_online(device)
    asked = [
        in_background(rest_of(rest).post, f"{device.path}/services/Purge", {"params": {"seconds": number}, "waitSeconds": 30})
        for number in range(1, 9)
    ]
    received = [connection.receive()[1] for _ in asked]
    for request in reversed(received):
        reply = {"id": request["id"], "code": 100_000 + request["params"]["seconds"], "data": {}}
        connection.publish(device.topic("thing/service/Purge_reply"), reply)
    codes = [one.result(PATIENCE_SECONDS)["code"] for one in asked]
    assert codes == [100_000 + number for number in range(1, 9)]


def rest_of(rest):
    """A client of its own for each thread."""
    return type(rest)(rest.url, rest.token)


@pytest.mark.parametrize("ext", [0, 1])
def test_a_synchronous_call_is_answered_in_the_sessions_form(platform, rest, boiler, logs, ext):
    with connect(platform, boiler, parameters={"ext": ext}) as connection:
        is_online(boiler)
        asked = in_background(rest.post, f"{boiler.path}/services/SelfTest", {"params": {}, "timeoutSeconds": 8})
        topic, request = connection.receive()
        if ext:
            assert topic.startswith("/ext/rrpc/")
            assert topic.endswith(boiler.topic("thing/service/SelfTest"))
            answer_topic = topic
        else:
            assert topic.startswith(boiler.topic("rrpc/request/"))
            answer_topic = topic.replace("/request/", "/response/")
        assert request["method"] == "thing.service.SelfTest" and request["params"] == {}
        outputs = {"ok": 1, "log": ["a"]}
        connection.publish(answer_topic, {"id": request["id"], "code": 200, "data": outputs}, qos=0)
        answer = asked.result(PATIENCE_SECONDS)
        assert (answer["answered"], answer["code"], answer["data"]) == (True, 200, outputs)
        logs.expect(answer["messageId"], RRPC, sent(), RRPC_FINISHED, REPORT_UP, reported(200))
        assert connection.inbox.empty(), "an answer is not delivered back to its sender"


def test_a_synchronous_call_without_an_answer_is_504(rest, online, logs):
    device, connection = online
    is_online(device)
    problem = rest.refused("POST", f"{device.path}/services/SelfTest", 504, body={"params": {}, "timeoutSeconds": 1})
    assert problem["rrpcCode"] == "TIMEOUT"
    assert "Response timeout" in problem["title"] + problem["detail"]
    topic, request = connection.receive()
    (line,) = until(
        lambda: [line for line in logs.lines(deviceName=device.device_name) if line["content"] == "Rrpc finished"],
        "the call's end",
    )
    assert (line["status"], line["reason"]) == ("FAILURE", "TIMEOUT")
    message_id = line["messageId"]
    lines = logs.expect(message_id, RRPC, sent(), RRPC_FAILED)
    # Too late: logged, and given to nobody.
    answer_topic = topic.replace("/request/", "/response/")
    connection.publish(answer_topic, {"id": request["id"], "code": 200, "data": {"ok": 1, "log": []}})
    logs.expect(message_id, RRPC, sent(), RRPC_FAILED, REPORT_UP, reported(200))
    assert len(lines) == 3


def test_a_device_that_goes_during_a_synchronous_call_ends_it(platform, rest, boiler):
    connection = connect(platform, boiler)
    is_online(boiler)
    asked = in_background(rest.send, "POST", f"{boiler.path}/services/SelfTest", body={"params": {}, "timeoutSeconds": 2})
    connection.receive()
    connection.disconnect()
    response = asked.result(PATIENCE_SECONDS)
    assert response.status_code == 504, response.text
    assert response.json()["rrpcCode"] in ("TIMEOUT", "OFFLINE", "HALFCONN")


def test_wrong_outputs_are_logged_with_their_code_and_passed_on(rest, online, logs):
    device, connection = online
    is_online(device)
    asked = in_background(rest.post, f"{device.path}/services/SelfTest", {"params": {}, "timeoutSeconds": 8})
    topic, request = connection.receive()
    answer_topic = topic.replace("/request/", "/response/")
    connection.publish(answer_topic, {"id": request["id"], "code": 200, "data": {"ok": True, "log": [1]}})
    answer = asked.result(PATIENCE_SECONDS)
    lines = logs.expect(answer["messageId"], RRPC, sent(), RRPC_FINISHED, REPORT_UP, reported(6308))
    tsl = next(line for line in lines if line["type"] == "TSL" and line["code"] == 6308)
    assert [(one["pointer"], one["code"]) for one in tsl["detail"]["errors"]] == [("/ok", 6308), ("/log/0", 6324)]


def test_fifty_unacknowledged_are_the_most_that_wait_for_a_device(platform, rest):
    product = make_boiler(rest)
    device = product.device()
    logs = Logs(product)
    with connect(platform, device, version=V5) as connection:
        is_online(device)
        # It reads on, and acknowledges nothing.
        connection.client._send_puback = lambda _mid: 0
        set_mode = {"params": {"mode": 1}, "waitSeconds": 0}
        asked = [in_background(rest_of(rest).post, f"{device.path}/properties", set_mode) for _ in range(50)]
        for one in asked:
            assert one.result(PATIENCE_SECONDS)["answered"] is False
        response = rest.send("POST", f"{device.path}/properties", body=set_mode)
        assert problem_of(response, 429, 6452)["detail"]
        assert int(response.headers["Retry-After"]) >= 1
        (line,) = until(lambda: logs.lines(type="DOWNSTREAM", status="FAILURE"), "the line of the refused one")
        assert line["reason"] == "IoT Hub cannot publish messages"
        assert connection.inbox.qsize() == 50
