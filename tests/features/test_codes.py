"""Every code of codes.md that a message can raise, by a message over MQTT: its reply and its log line."""

import json

import pytest

from hoshu.logs import REPORT_UP, TO_DEVICE, Logs, reported
from hoshu.model import REPORT, boiler
from hoshu.mqtt import connect
from hoshu.things import make_product
from hoshu.wait import until

POST = "thing/event/property/post"
EVENT = "thing/event/OverPressure/post"
BATCH = "thing/event/property/batch/post"


def params(values):
    return {"id": "5", "version": "1.0", "params": values}


def model():
    """The boiler with 201 properties more, and with an event that wants its output."""
    document = boiler()
    whole = {"type": "int", "specs": {"min": "0", "max": "9", "step": "1"}}
    for number in range(201):
        document["properties"].append(
            {"identifier": f"p{number}", "name": f"p{number}", "accessMode": "r", "required": False, "dataType": whole}
        )
    output = {"identifier": "must", "name": "must", "required": True, "dataType": whole}
    document["events"].append(
        {
            "identifier": "Strict",
            "name": "Strict",
            "type": "info",
            "required": False,
            "method": "thing.event.Strict.post",
            "outputData": [output],
        }
    )
    return document


CASES = [
    ("a whole report", POST, params(REPORT), 200),
    ("an empty report", POST, params({}), 200),
    ("no method", POST, params({"cycles": 1}), 200),
    ("an empty method, as some SDKs send", POST, {**params({"cycles": 1}), "method": ""}, 200),
    ("no JSON", POST, "{no", 6207),
    ("no object", POST, "[1]", 6207),
    ("params that are no object", POST, params([1]), 6207),
    ("a member twice", POST, '{"id":"5","params":{"mode":0,"mode":0}}', 6207),
    ("a method that is no text", POST, {**params({"cycles": 1}), "method": 7}, 6450),
    ("another method than its topic", POST, {**params({}), "method": "thing.event.OverPressure.post"}, 6300),
    ("an event that the model lacks", "thing/event/Nothing/post", params({"value": {}}), 6300),
    ("more than 200 properties", POST, params({f"p{number}": 1 for number in range(201)}), 6106),
    ("a property that the model lacks", POST, params({"nothing": 1}), 6320),
    ("no int", POST, params({"cycles": "5"}), 6306),
    ("an int out of range", POST, params({"cycles": 1_000_001}), 6306),
    ("no float", POST, params({"pressure": "5"}), 6307),
    ("a float out of range", POST, params({"pressure": 16.5}), 6307),
    ("no double", POST, params({"energy": False}), 6322),
    ("a double out of range", POST, params({"energy": -1}), 6322),
    ("no bool", POST, params({"running": True}), 6308),
    ("none of its values", POST, params({"running": 2}), 6308),
    ("no enum", POST, params({"mode": "0"}), 6309),
    ("none of the enum's values", POST, params({"mode": 3}), 6309),
    ("no text", POST, params({"label": 5}), 6310),
    ("a text too long", POST, params({"label": "é" * 33}), 6310),
    ("no date", POST, params({"lastService": 1699000000000}), 6311),
    ("a date in words", POST, params({"lastService": "yesterday"}), 6311),
    ("no struct", POST, params({"flame": 5}), 6312),
    ("a struct with a member too few", POST, params({"flame": {"temp": 5}}), 6312),
    ("a struct's unknown member", POST, params({"flame": {"temp": 5, "lit": 1, "color": 1}}), 6304),
    ("an event's unknown output", EVENT, params({"value": {"depth": 1}}), 6304),
    ("an element of another type", POST, params({"stages": [41.0, "44"]}), 6324),
    ("more elements than allowed", POST, params({"stages": [1, 2, 3, 4, 5]}), 6324),
    ("no array", POST, params({"stages": 5}), 6328),
    ("a required output missing", "thing/event/Strict/post", params({"value": {}}), 6302),
    ("an event's output out of range", EVENT, params({"value": {"peak": 41}}), 6307),
    ("an event with bare outputs", EVENT, params({"peak": 17.5}), 200),
    ("a time more than a day ahead", POST, params({"pressure": {"value": 5, "time": 9_700_000_000_000}}), 460),
    ("a batch", BATCH, params({"properties": {"cycles": [{"value": 1, "time": 1}]}}), 200),
    ("a batch's wrong value", BATCH, params({"properties": {"cycles": [{"value": -1, "time": 1}]}}), 6306),
    ("a batch of too many events", BATCH, params({"events": {f"E{number}": [] for number in range(21)}}), 6300),
    ("faults in the order of the codes", POST, params({"mode": 9, "nothing": 1}), 6309),
]


@pytest.fixture(scope="module")
def strict(rest):
    return make_product(rest, model())


@pytest.fixture(scope="module")
def device(strict):
    return strict.device()


@pytest.fixture(scope="module")
def connection(platform, device):
    with connect(platform, device) as open_connection:
        yield open_connection


def told(strict, device, connection, topic, message, code, number):
    """Sends a message under an id of its own; checks its reply and its lines."""
    own_id = f"case {number}"
    if isinstance(message, dict):
        message = {**message, "id": own_id}
        text = json.dumps(message)
        known_id = own_id
    else:
        text = message.replace('"id":"5"', f'"id":"{own_id}"')
        known_id = own_id if text != message else ""
    connection.publish(device.topic(topic), text)
    reply_topic, reply = connection.receive()
    assert reply_topic == device.topic(f"{topic}_reply")
    assert reply["id"] == known_id and reply["code"] == code, reply
    assert isinstance(reply["data"], dict) and isinstance(reply["message"], str)
    logs = Logs(strict)
    if known_id:
        logs.expect_of(device, known_id, REPORT_UP, reported(code), TO_DEVICE)
    else:
        logs.expect_of(device, "", REPORT_UP, reported(code), TO_DEVICE)


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)), ids=[case[0] for case in CASES])
def test_a_message_gets_its_code(strict, device, connection, number, case):
    _, topic, message, code = case
    told(strict, device, connection, topic, message, code, number)


@pytest.mark.parametrize(("topic", "code"), [(POST, 5159), (EVENT, 5160), (BATCH, 5159)])
def test_without_a_published_model_reports_are_refused(platform, rest, topic, code):
    product = make_product(rest)
    device = product.device()
    with connect(platform, device) as connection:
        values = {"properties": {"cycles": [{"value": 1}]}} if topic == BATCH else {"cycles": 1}
        told(product, device, connection, topic, params(values), code, 0)


def replies(connection):
    """Those that are there."""
    while not connection.inbox.empty():
        yield connection.receive()[1]


def test_over_its_rate_a_device_is_told_6452(platform, rest):
    product = make_product(rest, boiler())
    device = product.device()
    with connect(platform, device) as connection:
        # The burst is used up by messages that have no reply, since replies have a rate of their own.
        for _ in range(195):
            connection.client.publish(device.user_topic("update"), "x", 0)
        for number in range(100):
            connection.client.publish(device.topic(POST), json.dumps({**params({"cycles": 1}), "id": str(number)}), 0)
        refused_id = until(lambda: next((reply["id"] for reply in replies(connection) if reply["code"] == 6452), None), "a reply of 6452")
        refused_first = Logs(product).tsl_line(device, refused_id)
        assert (refused_first["code"], refused_first["status"]) == (6452, "FAILURE")
    logs = Logs(product)
    refused = until(lambda: logs.lines(type="UPSTREAM", status="FAILURE"), "the line of a refusal")
    assert all(line["reason"].startswith("Rate limit:100,current qps:") for line in refused), refused[:3]
