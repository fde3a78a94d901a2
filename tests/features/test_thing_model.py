"""The thing model: draft, publish, versions, and the check of a message."""

import json

import pytest

from hoshu.model import REPORT, boiler
from hoshu.mqtt import connect
from hoshu.things import make_boiler, make_product
from hoshu.wait import until


def without_generated(document):
    """Without `post`, `set` and `get`, which every document that is handed out has."""
    events = [event for event in document["events"] if event["identifier"] != "post"]
    services = [service for service in document["services"] if service["identifier"] not in ("set", "get")]
    return {**document, "events": events, "services": services}


def test_a_draft_is_kept_as_it_was_written_and_completed(rest):
    product = make_product(rest)
    document = {**boiler(), "ours": {"kept": [1, 2.50]}}
    text = json.dumps(document)
    rest.put(f"{product.path}/tsl", document)
    answer = rest.send("GET", f"{product.path}/tsl")
    draft = answer.json()
    assert draft["profile"]["productKey"] == product.product_key, "whatever the document said"
    assert draft["ours"] == {"kept": [1, 2.5]}, "members that are unknown are kept"
    assert "2.5" in answer.text and len(answer.text) > len(text)
    expected = {**document, "profile": draft["profile"]}
    assert without_generated(draft) == expected
    post = next(event for event in draft["events"] if event["identifier"] == "post")
    assert post["method"] == "thing.event.property.post"
    assert [output["identifier"] for output in post["outputData"]] == list(REPORT) or {
        output["identifier"] for output in post["outputData"]
    } == {one["identifier"] for one in document["properties"]}
    setter = next(service for service in draft["services"] if service["identifier"] == "set")
    assert {one["identifier"] for one in setter["inputData"]} == {"setpoint", "label", "lastService", "mode"}
    getter = next(service for service in draft["services"] if service["identifier"] == "get")
    assert "pressure" in getter["inputData"]


def test_versions_count_up_and_each_stays_as_it_was_published(rest):
    product = make_product(rest)
    rest.refused("POST", f"{product.path}/tsl/publish", 409)
    rest.refused("GET", f"{product.path}/tsl/versions/1", 404)
    first = product.publish(boiler())
    assert (first["version"], first["current"]) == (1, True)
    changed = boiler()
    changed["properties"] = changed["properties"][:2]
    rest.put(f"{product.path}/tsl", changed)
    assert len(rest.get(f"{product.path}/tsl/versions/1")["properties"]) == 10
    assert len(rest.get(f"{product.path}/tsl")["properties"]) == 2
    second = rest.post(f"{product.path}/tsl/publish")
    assert (second["version"], second["current"]) == (2, True)
    versions = rest.get(f"{product.path}/tsl/versions")["items"]
    assert [(one["version"], one["current"]) for one in versions] == [(2, True), (1, False)]
    assert len(rest.get(f"{product.path}/tsl/versions/2")["properties"]) == 2
    rest.refused("GET", f"{product.path}/tsl/versions/3", 404)


def test_a_published_model_judges_the_next_message(platform, rest):
    product = make_boiler(rest)
    device = product.device()
    with connect(platform, device) as connection:
        topic = device.topic("thing/event/property/post")
        assert connection.ask(topic, {"pressure": 20})["code"] == 6307
        wider = boiler()
        wider["properties"][1]["dataType"]["specs"]["max"] = "40"
        product.publish(wider)
        until(lambda: connection.ask(topic, {"pressure": 20})["code"] == 200, "judged by the new model", within=3)


BROKEN = [
    ("a property without a type", lambda tsl: tsl["properties"][0].pop("dataType"), "/properties/0", 6323),
    ("an unknown type", lambda tsl: tsl["properties"][0]["dataType"].update(type="blob"), "/properties/0/dataType/type", 6314),
    ("a range upside down", lambda tsl: tsl["properties"][0]["dataType"]["specs"].update(min="9", max="1"), "/properties/0/dataType/specs", 6316),
    ("no identifier", lambda tsl: tsl["properties"][0].pop("identifier"), "/properties/0", 6317),
    ("a bad identifier", lambda tsl: tsl["properties"][0].update(identifier="no-dash"), "/properties/0/identifier", 6317),
    ("a reserved identifier", lambda tsl: tsl["properties"][0].update(identifier="time"), "/properties/0/identifier", 6317),
    ("an identifier twice", lambda tsl: tsl["properties"][1].update(identifier="cycles"), "/properties/1/identifier", 6317),
    ("an unknown access mode", lambda tsl: tsl["properties"][0].update(accessMode="w"), "/properties/0/accessMode", 6317),
    ("an unknown event type", lambda tsl: tsl["events"][0].update(type="panic"), "/events/0/type", 6317),
    ("an unknown call type", lambda tsl: tsl["services"][0].update(callType="soon"), "/services/0/callType", 6317),
    ("a text of no length", lambda tsl: tsl["properties"][4]["dataType"].update(specs={"length": "x"}), "/properties/4/dataType/specs", 6316),
    ("an array of bools", lambda tsl: tsl["properties"][9]["dataType"]["specs"].update(item={"type": "bool"}), "/properties/9/dataType/specs", 6325),
    ("a struct in a struct", lambda tsl: tsl["properties"][8]["dataType"]["specs"][0].update(dataType={"type": "struct", "specs": []}), "/properties/8/dataType/specs/0", 6314),
    ("properties that are no list", lambda tsl: tsl.update(properties={}), "/properties", 6317),
]


@pytest.mark.parametrize(("what", "spoil", "pointer", "code"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_document_is_refused_with_its_place(rest, what, spoil, pointer, code):
    product = make_product(rest)
    document = boiler()
    spoil(document)
    problem = rest.refused("PUT", f"{product.path}/tsl", 400, code, body=document)
    places = [error["pointer"] for error in problem["errors"]]
    assert any(place.startswith(pointer) for place in places), (what, problem)


def test_a_document_must_be_an_object_of_at_most_256_kilobytes(rest):
    product = make_product(rest)
    for raw in ["[]", "7", '"text"', "{", "null"]:
        response = rest.send("PUT", f"{product.path}/tsl", raw=raw)
        assert response.status_code == 400, (raw, response.text)
    large = {**boiler(), "note": "x" * 300_000}
    response = rest.send("PUT", f"{product.path}/tsl", body=large)
    assert response.status_code in (400, 413), response.text
    huge = {**boiler(), "note": "x" * 2_000_000}
    rest.refused("PUT", f"{product.path}/tsl", 413, body=huge)


def test_a_basic_product_has_no_model(rest):
    product = make_product(rest, edition="BASIC")
    device = product.device()
    rest.refused("GET", f"{product.path}/tsl", 409)
    rest.refused("PUT", f"{product.path}/tsl", 409, body=boiler())
    rest.refused("POST", f"{product.path}/tsl/publish", 409)
    rest.refused("GET", f"{product.path}/tsl/versions", 409)
    rest.refused("POST", f"{product.path}/tsl/check", 409, body={"method": "thing.event.property.post", "params": {}})
    rest.refused("GET", f"{device.path}/properties", 409)
    rest.refused("GET", f"{device.path}/events", 409)
    rest.refused("POST", f"{device.path}/properties", 409, body={"params": {"setpoint": 5}})
    rest.refused("POST", f"{device.path}/services/Purge", 409, body={"params": {}})


def check(rest, product, method, params):
    return rest.post(f"{product.path}/tsl/check", {"method": method, "params": params})


def test_a_check_gives_the_verdict_that_a_message_would_get(rest, boilers):
    assert check(rest, boilers, "thing.event.property.post", REPORT) == {"valid": True, "code": 200, "errors": []}
    verdict = check(rest, boilers, "thing.event.property.post", {"mode": 9, "nothing": 1, "cycles": -1})
    assert (verdict["valid"], verdict["code"]) == (False, 6309)
    assert [(one["pointer"], one["code"]) for one in verdict["errors"]] == [
        ("/mode", 6309), ("/nothing", 6320), ("/cycles", 6306),
    ]
    assert "9" in verdict["errors"][0]["message"]
    assert check(rest, boilers, "thing.event.OverPressure.post", {"value": {"peak": 99}})["code"] == 6307
    assert check(rest, boilers, "thing.event.Nothing.post", {})["code"] == 6300
    assert check(rest, boilers, "thing.service.Purge", {"seconds": 30})["code"] == 200
    assert check(rest, boilers, "thing.service.Purge", {"seconds": 0})["code"] == 6306
    assert check(rest, boilers, "thing.service.property.set", {"pressure": 5})["code"] == 460
    assert check(rest, make_product(rest), "thing.event.property.post", {})["code"] == 5159


def test_big_numbers_and_member_order_survive(rest, boilers):
    raw = '{"method":"thing.event.property.post","params":{"cycles":99999999999999999999,"a":1}}'
    verdict = rest.send("POST", f"{boilers.path}/tsl/check", raw=raw).json()
    assert "99999999999999999999" in verdict["errors"][0]["message"]
    assert [one["pointer"] for one in verdict["errors"]] == ["/cycles", "/a"]
