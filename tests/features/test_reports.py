"""What devices report: properties with their times, many at once, events."""

from hoshu.logs import REPORT_UP, TO_DEVICE, Logs, reported
from hoshu.model import REPORT
from hoshu.mqtt import V5, connect
from hoshu.things import make_product
from hoshu.wait import until


def test_the_newest_time_wins_not_the_last_arrival(online):
    device, connection = online
    topic = device.topic("thing/event/property/post")
    for value, time in [(5.0, 1_700_000_002_000), (4.0, 1_700_000_001_000)]:
        assert connection.ask(topic, {"pressure": {"value": value, "time": time}})["code"] == 200
    (item,) = until(lambda: device.rest.get(f"{device.path}/properties")["items"], "the value")
    assert item == {"identifier": "pressure", "value": 5.0, "reportedAt": "2023-11-14T22:13:22.000Z"}
    assert connection.ask(topic, {"pressure": 6.0})["code"] == 200
    until(lambda: device.properties() == {"pressure": 6.0}, "a report without a time is of now")


def test_any_fault_refuses_the_whole_report(online, logs):
    device, connection = online
    reply = connection.ask(device.topic("thing/event/property/post"), {"pressure": 6.2, "mode": 9, "x": 1})
    assert reply["code"] == 6309
    assert reply["version"] == "1.0" and reply["method"] == "thing.event.property.post"
    lines = logs.expect_of(device, reply["id"], REPORT_UP, reported(6309), TO_DEVICE)
    tsl = next(line for line in lines if line["type"] == "TSL")
    assert [(one["pointer"], one["code"]) for one in tsl["detail"]["errors"]] == [("/mode", 6309), ("/x", 6320)]
    assert tsl["reason"]
    assert device.properties() == {}


def test_many_are_reported_at_once(online, logs, rest):
    device, connection = online
    params = {
        "properties": {"pressure": [{"value": 5, "time": 1_700_000_001_000}, {"value": 6, "time": 1_700_000_002_000}]},
        "events": {"OverPressure": [{"value": {"peak": 20}, "time": 1_700_000_003_000}]},
    }
    topic = device.topic("thing/event/property/batch/post")
    reply = connection.ask(topic, params, method="thing.event.property.batch.post")
    assert reply["code"] == 200
    until(lambda: device.properties() == {"pressure": 6}, "the newest value")
    (event,) = until(lambda: rest.get(f"{device.path}/events")["items"], "the event")
    assert event["reportedAt"] == "2023-11-14T22:13:23.000Z"
    logs.expect_of(device, reply["id"], REPORT_UP, reported(200), TO_DEVICE)


def test_events_are_found_by_each_filter_newest_first(online, rest):
    device, connection = online
    topic = device.topic("thing/event/OverPressure/post")
    times = [1_700_000_001_000, 1_700_000_003_000, 1_700_000_002_000]
    for index, time in enumerate(times):
        reply = connection.ask(topic, {"value": {"peak": index}, "time": time})
        assert reply["code"] == 200

    def peaks(**query):
        return [event["data"]["peak"] for event in rest.items(f"{device.path}/events", 2, **query)]

    until(lambda: len(peaks()) == 3, "three events")
    assert peaks() == [1, 2, 0]
    assert peaks(identifier="OverPressure", type="ALERT") == [1, 2, 0]
    assert peaks(identifier="Other") == [] and peaks(type="INFO") == []
    assert peaks(**{"from": "2023-11-14T22:13:22Z"}) == [1, 2]
    assert peaks(to="2023-11-14T22:13:22Z") == [0]
    assert peaks(**{"from": "2023-11-14T23:13:22+01:00", "to": "2023-11-14T22:13:23Z"}) == [2]


def test_an_unasked_reply_is_not_sent(online, logs):
    device, connection = online
    envelope = {"id": "77", "version": "1.0", "sys": {"ack": 0}, "params": {"pressure": 6.2}}
    connection.publish(device.topic("thing/event/property/post"), envelope)
    until(lambda: device.properties() == {"pressure": 6.2}, "the value")
    logs.expect_of(device, "77", REPORT_UP, reported(200))
    assert connection.inbox.empty()


def test_a_reply_that_nobody_subscribed_makes_no_line(platform, boiler, logs):
    with connect(platform, boiler, parameters={"_ss": 0}) as connection:
        connection.publish(boiler.topic("thing/event/property/post"), {"id": "8", "params": {"pressure": 6.2}})
        logs.expect_of(boiler, "8", REPORT_UP, reported(200))
        assert connection.inbox.empty()


def test_overlapping_subscriptions_bring_one_reply(online):
    device, connection = online
    assert connection.subscribe(device.topic("#"), device.topic("thing/event/+/post_reply")) == [1, 1]
    topic = device.topic("thing/event/property/post")
    connection.ask(topic, {"pressure": 6.2}, request_id="1")
    # The next message would come after a second copy.
    connection.ask(topic, {"pressure": 6.3}, request_id="2")


def test_ids_come_back_as_they_were_sent(online):
    device, connection = online
    topic = device.topic("thing/event/property/post")
    for own_id in ["1", "no number", f"7|exp-topic|{topic}_reply", 42, 4294967295, "é"]:
        connection.publish(topic, {"id": own_id, "params": {"pressure": 6.2}})
        _, reply = connection.receive()
        assert reply["id"] == own_id and type(reply["id"]) is type(own_id)
        assert reply["code"] == 200 and reply["data"] == {} and reply["message"] == "success"


def test_posts_are_answered_in_their_order(online):
    device, connection = online
    topic = device.topic("thing/event/property/post")
    for number in range(50):
        connection.client.publish(topic, f'{{"id":"{number}","params":{{"cycles":{number}}}}}', 1)
    ids = [connection.receive()[1]["id"] for _ in range(50)]
    assert ids == [str(number) for number in range(50)]
    until(lambda: device.properties() == {"cycles": 49}, "the last value")


def test_a_basic_product_carries_messages_without_a_model(platform, rest):
    product = make_product(rest, edition="BASIC")
    device = product.device()
    with connect(platform, device, version=V5) as connection:
        reply = connection.ask(device.topic("thing/event/property/post"), {"anything": [1]})
        assert (reply["code"], reply["message"]) == (200, "success")
    logs = Logs(product)
    (line,) = until(lambda: logs.lines(type="UPSTREAM"), "its line")
    logs.expect(line["messageId"], REPORT_UP, TO_DEVICE)
    assert logs.lines(type="TSL") == []


def test_bytes_of_a_raw_product_get_their_line_and_no_reply(platform, rest):
    product = make_product(rest, data_format="CUSTOM")
    device = product.device()
    with connect(platform, device) as connection:
        connection.publish(device.topic("thing/model/up_raw"), b"\x01\x00\x00\x00\x2a\x06\x20")
        logs = Logs(product)
        (line,) = until(lambda: logs.lines(type="UPSTREAM"), "its line")
        logs.expect(line["messageId"], REPORT_UP)
        assert connection.inbox.empty()


def test_a_report_of_every_type_comes_back_as_it_was(online):
    device, connection = online
    assert connection.ask(device.topic("thing/event/property/post"), REPORT)["code"] == 200
    until(lambda: device.properties() == REPORT, lambda: f"all values, but {device.properties()}")
