"""The devices' door: who is let in, what they may say, and what they are told."""

import json
import socket

import pytest

from hoshu.credentials import DIGESTS, credentials
from hoshu.logs import REFUSED_UP, REPORT_UP, Logs
from hoshu.mqtt import V3, V5, Connection, Refused, connect
from hoshu.things import Device, make_product
from hoshu.wait import PATIENCE_SECONDS, until

BOTH = pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])


@BOTH
@pytest.mark.parametrize("method", DIGESTS)
def test_each_signature_lets_in(platform, boiler, version, method):
    with connect(platform, boiler, version=version, parameters={"method": method}):
        pass
    with connect(platform, boiler, version=version, parameters={"method": method, "timestamp": None}):
        pass


def test_the_worked_example_of_a_signature_is_ours(boiler):
    example = Device("a1B2c3D4e5F", "boiler_01", "f3a9c2d7e1b84056a9d0c1e2f3b4a596", "", boiler.rest)
    shown = credentials(example, timestamp=None)
    assert shown.username == "boiler_01&a1B2c3D4e5F"
    assert len(shown.password) == 64


def test_a_password_may_be_in_upper_case(platform, boiler):
    shown = credentials(boiler)
    upper = type(shown)(shown.client_id, shown.username, shown.password.upper())
    Connection(platform.mqtt_port, upper).disconnect()


def refused_with(platform, shown, version, **options):
    with pytest.raises(Refused) as refused:
        Connection(platform.mqtt_port, shown, version=version, **options)
    return refused.value.code


CAUSES = [
    ("a wrong signature", lambda good: {"password": "0" * 64}, 5, 0x87),
    ("an unknown device", lambda good: {"username": "nobody-1&" + good.username.split("&")[1]}, 5, 0x87),
    ("an unknown product", lambda good: {"username": good.username.split("&")[0] + "&nowhere"}, 5, 0x87),
    ("a username without its bond", lambda good: {"username": "boiler"}, 4, 0x86),
    ("a client id without parameters", lambda good: {"client_id": "boiler"}, 3, 0x85),
    ("an unknown sign method", lambda good: {"client_id": good.client_id.replace("hmacsha256", "sha256")}, 5, 0x87),
    ("TLS claimed on a plain connection", lambda good: {"client_id": good.client_id.replace("securemode=3", "securemode=2")}, 5, 0x87),
]


@pytest.mark.parametrize(("cause", "change", "code3", "code5"), CAUSES, ids=[row[0] for row in CAUSES])
def test_a_refusal_has_the_code_of_its_cause(platform, boiler, cause, change, code3, code5):
    good = credentials(boiler)
    shown = type(good)(**{**vars(good), **change(good)})
    assert refused_with(platform, shown, V3) == code3
    assert refused_with(platform, shown, V5) == code5
    assert boiler.status == "INACTIVE"


@pytest.mark.parametrize("keep_alive", [0, 29])
def test_a_keep_alive_under_thirty_seconds_is_refused(platform, boiler, keep_alive):
    shown = credentials(boiler)
    assert refused_with(platform, shown, V3, keep_alive=keep_alive) == 3
    assert refused_with(platform, shown, V5, keep_alive=keep_alive) in (0x83, 0x85)


def test_a_refused_device_finds_the_reason_in_its_log(platform, boiler, logs):
    good = credentials(boiler)
    refused_with(platform, type(good)(good.client_id, good.username, "0" * 64), V3)
    (line,) = until(lambda: logs.lines(type="ACTIVITY", deviceName=boiler.device_name), "its line")
    assert (line["content"], line["status"]) == ("connect refused", "FAILURE")
    assert line["reason"] and boiler.device_secret not in json.dumps(line)


def test_mqtt_5_is_told_the_limits(platform, boiler):
    with connect(platform, boiler, version=V5, keep_alive=3000) as connection:
        shown = connection.properties
        assert shown.MaximumQoS == 1
        assert shown.RetainAvailable == 0
        assert shown.SharedSubscriptionAvailable == 0
        assert shown.SubscriptionIdentifierAvailable == 0
        assert shown.ServerKeepAlive == 1200
        assert shown.MaximumPacketSize > 256 * 1024


@BOTH
def test_subscriptions_are_granted_inside_its_own_tree_only(platform, boiler, version):
    refused = 0x80 if version == V3 else 0x87
    with connect(platform, boiler, version=version) as connection:
        assert connection.subscribe(boiler.topic("#"), boiler.user_topic("get")) == [1, 1]
        assert connection.subscribe(boiler.topic("thing/config/push_reply"), qos=0) == [0], "grants nothing, but is granted"
        assert connection.subscribe(boiler.topic("thing/service/+"), qos=2) == [1]
        for foreign in ["#", "/sys/#", "/sys/+/+/thing/#", f"/sys/{boiler.product_key}/other/thing/#", "/nothing"]:
            assert connection.subscribe(foreign) == [refused], foreign
        (shared,) = connection.subscribe(f"$share/all/{boiler.user_topic('get')}")
        assert shared >= 0x80
        assert not connection.closed.is_set()


@BOTH
def test_a_foreign_topic_is_dropped_and_logged_and_the_connection_stays(platform, boiler, logs, version):
    with connect(platform, boiler, version=version) as connection:
        topic = f"/sys/{boiler.product_key}/somebody/thing/event/property/post"
        connection.publish(topic, {"id": "1", "params": {}})
        (line,) = until(lambda: logs.lines(type="UPSTREAM", deviceName=boiler.device_name), "its line")
        assert (line["status"], line["reason"]) == ("FAILURE", "No authorization")
        assert topic in line["content"]
        logs.expect(line["messageId"], REFUSED_UP)
        connection.publish(boiler.user_topic("update"), "still there")


def test_refusals_of_one_second_are_joined_with_a_count(platform, boiler, logs):
    with connect(platform, boiler) as connection:
        for _ in range(150):
            connection.client.publish("/nobodys/topic", "x", 0)
        connection.publish(boiler.user_topic("update"), "done")

        def refused():
            return logs.lines(type="UPSTREAM", status="FAILURE", deviceName=boiler.device_name)

        def counted():
            return sum(int(line["detail"].get("count", 1)) for line in refused()) == 150

        until(counted, lambda: f"150 refusals in few lines, but {[line['detail'] for line in refused()]}")
        assert len(refused()) <= 10


@BOTH
def test_a_payload_over_the_limit_is_discarded(platform, boiler, logs, version):
    connection = connect(platform, boiler, version=version)
    connection.publish(boiler.user_topic("update"), b"x" * 256 * 1024)
    until(lambda: logs.lines(type="UPSTREAM", status="SUCCESS", deviceName=boiler.device_name), "the largest is carried")
    connection.client.publish(boiler.user_topic("update"), b"x" * (256 * 1024 + 1), 1)
    (line,) = until(lambda: logs.lines(type="UPSTREAM", status="FAILURE", deviceName=boiler.device_name), "its line")
    assert line["reason"] == "Bad Request"
    if version == V5:
        assert connection.closed.wait(PATIENCE_SECONDS) and connection.close_reason == 0x95
    else:
        connection.publish(boiler.user_topic("update"), "still there")
        connection.disconnect()


@BOTH
def test_a_qos_2_publish_ends_the_connection(platform, boiler, version):
    connection = connect(platform, boiler, version=version)
    connection.client.publish(boiler.user_topic("update"), "x", 2)
    assert connection.closed.wait(PATIENCE_SECONDS)
    if version == V5:
        assert connection.close_reason == 0x9B


def test_a_will_is_published_as_the_devices_own_message(platform, boiler, logs):
    topic = boiler.user_topic("gone")
    connection = connect(platform, boiler, will=(topic, "power lost"))
    connection.reset()
    (line,) = until(lambda: logs.lines(type="UPSTREAM", deviceName=boiler.device_name), "its line")
    assert line["detail"]["topic"] == topic and line["status"] == "SUCCESS"
    logs.expect(line["messageId"], REPORT_UP)
    connect(platform, boiler, will=(topic, "power lost")).disconnect()
    logs.offline_reason(boiler, 2)
    assert len(logs.lines(type="UPSTREAM", deviceName=boiler.device_name)) == 1, "a goodbye takes the will back"


def test_each_end_of_a_connection_has_its_reason(platform, boiler, logs):
    connect(platform, boiler).disconnect()
    assert logs.offline_reason(boiler, 1)["reason"] == "Device disconnect"
    connect(platform, boiler).reset()
    reset = logs.offline_reason(boiler, 2)
    assert (reset["reason"], reset["status"]) == ("Connection reset by peer", "FAILURE")
    first = connect(platform, boiler)
    second = connect(platform, boiler)
    assert first.closed.wait(PATIENCE_SECONDS)
    kicked = logs.offline_reason(boiler, 3)
    assert (kicked["reason"], kicked["status"]) == ("Kicked by the same device", "FAILURE")
    assert not second.closed.is_set() and boiler.status == "ONLINE"
    # Bytes that are no MQTT.
    second.client.socket().send(b"\xff\xff\xff\xff\xff")
    assert second.closed.wait(PATIENCE_SECONDS)
    broken = logs.offline_reason(boiler, 4)
    assert (broken["reason"], broken["status"]) == ("Connection occurs exception", "FAILURE")


@pytest.mark.shows(v3="3.1.2-24", v5="3.1.2-22")
def test_silence_for_one_and_a_half_keep_alives_is_a_timeout(platform, boilers, logs):
    devices = {V3: boilers.device(), V5: boilers.device()}
    connections = {version: connect(platform, device, version=version, keep_alive=30) for version, device in devices.items()}
    for connection in connections.values():
        # Nothing is sent any more, and nothing closes it.
        connection.client._keepalive = 10_000
    for version, device in devices.items():
        assert connections[version].closed.wait(60), "closed in time"
        line = logs.offline_reason(device)
        assert (line["reason"], line["status"]) == ("Keepalive timeout", "FAILURE")


@BOTH
def test_a_kept_session_brings_what_was_not_acknowledged(platform, rest, boiler, version):
    options = {"version": version, "clean": False, "session_seconds": 3600}
    connection = connect(platform, boiler, **options)
    assert not connection.session_present
    until(lambda: boiler.status == "ONLINE", "online")
    # It reads, and acknowledges nothing.
    connection.client._send_puback = lambda _mid: 0
    answer = rest.post(f"{boiler.path}/properties", {"params": {"setpoint": 5}, "waitSeconds": 0})
    _, first = connection.receive()
    connection.reset()
    until(lambda: boiler.status == "OFFLINE", "offline")
    with connect(platform, boiler, **options, parameters={"timestamp": "1800000000000"}) as again:
        assert again.session_present
        topic, second = again.receive()
        assert (topic, second) == (boiler.topic("thing/service/property/set"), first)
    assert answer["answered"] is False


def test_a_clean_session_forgets(platform, rest, boiler):
    connection = connect(platform, boiler, clean=False)
    connection.subscribe(boiler.user_topic("get"))
    connection.disconnect()
    with connect(platform, boiler, clean=True) as fresh:
        assert not fresh.session_present
    with connect(platform, boiler, clean=False) as again:
        assert not again.session_present


def test_too_many_attempts_of_one_device_are_refused(platform, boiler):
    for _ in range(20):
        connect(platform, boiler).disconnect()
    codes = []
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            connect(platform, boiler)
        codes.append(refused.value.code)
    assert codes == [3, 3, 3]
    with pytest.raises(Refused) as refused:
        connect(platform, boiler, version=V5)
    assert refused.value.code == 0x97


def test_a_custom_topic_makes_one_line(platform, rest):
    product = make_product(rest, edition="BASIC")
    device = product.device()
    logs = Logs(product)
    with connect(platform, device) as connection:
        mid = connection.publish(device.user_topic("update/error"), "any bytes")
        (line,) = until(lambda: logs.lines(type="UPSTREAM"), "its line")
        assert line["detail"]["protocolMessageId"] == mid
        assert line["content"] == (
            f"Device publish message to topic:{device.user_topic('update/error')},QoS=1,protocolMessageId:{mid}"
        )
        logs.expect(line["messageId"], REPORT_UP)


def test_the_time_is_told(platform, boiler):
    with connect(platform, boiler) as connection:
        topic = f"/ext/ntp/{boiler.product_key}/{boiler.device_name}"
        connection.publish(f"{topic}/request", {"deviceSendTime": "1700000000000"}, qos=0)
        reply_topic, reply = connection.receive()
        assert reply_topic == f"{topic}/response"
        assert reply["deviceSendTime"] == "1700000000000"
        assert int(reply["serverRecvTime"]) <= int(reply["serverSendTime"])


def test_bytes_that_are_no_mqtt_are_closed_and_harm_nobody(platform, boiler):
    for noise in [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 64, b"\x10\xff\xff\xff\x7f", b"\x10\x00", bytes(range(256))]:
        with socket.create_connection(("127.0.0.1", platform.mqtt_port), PATIENCE_SECONDS) as stranger:
            stranger.sendall(noise)
            stranger.shutdown(socket.SHUT_WR)
            try:
                while stranger.recv(4096):
                    pass
            except ConnectionResetError:
                pass
    connect(platform, boiler).disconnect()
