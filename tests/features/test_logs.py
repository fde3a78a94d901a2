"""The device log: every filter, and paging that neither repeats nor skips while lines arrive."""

import re
import threading

import pytest

from hoshu.logs import Logs
from hoshu.mqtt import connect
from hoshu.things import make_boiler
from hoshu.wait import until

POSTS = 30


@pytest.fixture(scope="module")
def history(platform, rest):
    """A product with two devices and some history: good and bad posts, a set, a refusal."""
    product = make_boiler(rest)
    device, other = product.device(), product.device()
    with connect(platform, device) as connection, connect(platform, other) as foreign:
        topic = device.topic("thing/event/property/post")
        for number in range(POSTS):
            connection.ask(topic, {"cycles": number})
        connection.ask(topic, {"cycles": -1})
        foreign.ask(other.topic("thing/event/property/post"), {"cycles": 5})
        connection.publish("/nobodys/topic", "x")
        until(lambda: device.status == "ONLINE", "online")
        rest.post(f"{device.path}/properties", {"params": {"mode": 1}, "waitSeconds": 0})
    logs = Logs(product)
    # online, offline; 30 + 1 posts of 3 lines; one refused; one set of 2; the other's 1 + 3 + 1.
    until(lambda: len(logs.lines()) == 2 + 3 * (POSTS + 1) + 1 + 2 + 5, lambda: f"all lines, but {len(logs.lines())}")
    return logs, device, other


def test_a_line_has_the_contracts_members(history):
    logs, _, _ = history
    for line in logs.lines():
        members = {"id", "time", "type", "deviceName", "messageId", "content", "status", "reason", "detail"}
        assert set(line) - {"code"} == members
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert isinstance(line["detail"], dict)
        if line["type"] == "TSL":
            assert isinstance(line["code"], int)
            assert line["detail"]["direction"] in ("UPSTREAM", "DOWNSTREAM") and "method" in line["detail"]
        elif line["type"] in ("UPSTREAM", "DOWNSTREAM"):
            assert {"topic", "qos", "protocolMessageId"} <= set(line["detail"]) or line["content"] == "Rrpc finished"
        if line["status"] == "SUCCESS" and line["type"] != "ACTIVITY":
            assert line["reason"] == ""


def test_each_filter_gives_just_the_lines_it_names(history):
    logs, device, other = history
    everything = logs.lines()
    first, last = everything[-1]["time"], everything[0]["time"]
    middle = sorted({line["time"] for line in everything})[len({line["time"] for line in everything}) // 2]
    some = next(line for line in everything if line["type"] == "TSL")
    queries = [
        *({"type": kind} for kind in ("ACTIVITY", "UPSTREAM", "DOWNSTREAM", "TSL")),
        {"type": ["UPSTREAM", "TSL"]},
        {"deviceName": device.device_name},
        {"deviceName": other.device_name, "type": "UPSTREAM"},
        {"messageId": some["messageId"]},
        {"messageId": some["messageId"], "type": "TSL"},
        {"messageId": "00000000-0000-7000-8000-000000000000"},
        {"status": "SUCCESS"},
        {"status": "FAILURE"},
        {"status": "FAILURE", "type": "TSL", "deviceName": device.device_name},
        {"from": middle},
        {"to": middle},
        {"from": middle, "to": last},
        {"from": middle, "type": "DOWNSTREAM", "status": "SUCCESS", "deviceName": device.device_name},
        {"from": first, "to": first},
    ]
    for query in queries:
        kinds = query.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        expected = [
            line["id"]
            for line in everything
            if (not kinds or line["type"] in kinds)
            and query.get("deviceName", line["deviceName"]) == line["deviceName"]
            and query.get("messageId", line["messageId"]) == line["messageId"]
            and query.get("status", line["status"]) == line["status"]
            and query.get("from", "") <= line["time"] < query.get("to", "9")
        ]
        assert [line["id"] for line in logs.lines(**query)] == expected, query


def test_lines_come_newest_first_and_each_once(history):
    logs, _, _ = history
    everything = logs.lines()
    messages = [line["messageId"] for line in everything if line["messageId"]]
    assert len({line["id"] for line in everything}) == len(everything)
    starts = {message: min(line["time"] for line in everything if line["messageId"] == message) for message in set(messages)}
    order = list(dict.fromkeys(messages))
    assert [starts[one] for one in order] == sorted((starts[one] for one in order), reverse=True)


@pytest.mark.parametrize("size", [1, 2, 7, 50, 500])
def test_pages_hold_every_line_once(history, size):
    logs, device, _ = history
    whole = [line["id"] for line in logs.lines(deviceName=device.device_name, type="TSL")]
    paged = [line["id"] for page in logs.rest.pages(logs.path, size, deviceName=device.device_name, type="TSL") for line in page]
    assert paged == whole


def test_paging_neither_repeats_nor_skips_while_lines_arrive(platform, rest):
    product = make_boiler(rest)
    device = product.device()
    logs = Logs(product)
    topic = device.topic("thing/event/property/post")
    with connect(platform, device) as connection:
        for number in range(40):
            connection.ask(topic, {"cycles": number})
        until(lambda: len(logs.lines(type="TSL")) == 40, "forty lines")
        before = [line["id"] for line in logs.lines(type="TSL")]
        going_on = threading.Event()

        def post():
            number = 40
            while not going_on.is_set():
                connection.ask(topic, {"cycles": number})
                number += 1

        writer = threading.Thread(target=post)
        writer.start()
        try:
            for _ in range(5):
                seen = [line["id"] for page in rest.pages(logs.path, 3, type="TSL") for line in page]
                assert len(set(seen)) == len(seen), "a line came twice"
                assert [one for one in seen if one in set(before)] == before, "a line was skipped"
        finally:
            going_on.set()
            writer.join()


@pytest.mark.parametrize("query", [
    {"type": "NOISE"},
    {"status": "MAYBE"},
    {"messageId": "no id"},
    {"from": "yesterday"},
    {"pageSize": 501},
    {"pageSize": "many"},
    {"pageToken": "nonsense"},
    {"color": "red"},
])
def test_a_filter_that_is_none_is_refused(rest, boilers, query):
    rest.refused("GET", f"{boilers.path}/logs", 400, query=query)


def test_logs_of_an_unknown_product_are_not_found(rest):
    rest.refused("GET", "/products/nothing/logs", 404)
