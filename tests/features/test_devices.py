"""Devices: made, found, disabled, deleted, and what becomes of their connections."""

import re

import pytest

from hoshu.logs import Logs
from hoshu.mqtt import Refused, connect
from hoshu.rest import segment
from hoshu.things import Device, make_product
from hoshu.wait import PATIENCE_SECONDS, until


def test_a_device_is_made_with_what_it_needs_to_connect(rest, boilers):
    made = rest.create(f"{boilers.path}/devices", {"deviceName": "pump-1"})
    assert made["deviceName"] == "pump-1"
    assert re.fullmatch(r"[A-Za-z0-9]{32}", made["deviceSecret"])
    assert 0 < len(made["iotId"]) <= 64
    assert made["status"] == "INACTIVE"
    read = rest.get(f"{boilers.path}/devices/pump-1")
    assert "deviceSecret" not in read, "it is shown once"
    assert (read["iotId"], read["status"]) == (made["iotId"], "INACTIVE")
    assert "activatedAt" not in read
    rest.refused("POST", f"{boilers.path}/devices", 409, body={"deviceName": "pump-1"})
    rest.delete(f"{boilers.path}/devices/pump-1")
    rest.refused("GET", f"{boilers.path}/devices/pump-1", 404)


def test_a_devices_name_is_made_up_or_follows_the_rule(rest, boilers):
    made = rest.create(f"{boilers.path}/devices", {})
    assert 4 <= len(made["deviceName"]) <= 32
    for good in ["abcd", "a:b@c.d-e_f", "x" * 32]:
        assert rest.create(f"{boilers.path}/devices", {"deviceName": good})["deviceName"] == good
        assert rest.get(f"{boilers.path}/devices/{segment(good)}")["deviceName"] == good
    for bad in ["", "abc", "x" * 33, "a b c d", "a/b/c", "a+bcd", "a#bcd", "a&bcd", "a|bcd", "é-boiler"]:
        rest.refused("POST", f"{boilers.path}/devices", 400, body={"deviceName": bad})


def test_a_batch_is_made_all_or_not_at_all(rest):
    product = make_product(rest)
    batch = f"{product.path}/device-batches"
    named = rest.create(batch, {"deviceNames": ["unit-1", "unit-2"]})["items"]
    assert [one["deviceName"] for one in named] == ["unit-1", "unit-2"]
    assert all(one["deviceSecret"] and one["iotId"] for one in named)
    rest.refused("POST", batch, 409, body={"deviceNames": ["unit-3", "unit-2"]})
    rest.refused("GET", f"{product.path}/devices/unit-3", 404)
    for bad in [
        {},
        {"count": 0},
        {"count": 10_001},
        {"count": -1},
        {"deviceNames": ["unit-4"], "count": 2},
        {"deviceNames": ["unit-4", "unit-4"]},
        {"deviceNames": ["unit-4", "no"]},
        {"deviceNames": [f"unit-{number:05}" for number in range(10_001)]},
    ]:
        rest.refused("POST", batch, 400, body=bad)
    rest.refused("GET", f"{product.path}/devices/unit-4", 404)
    counted = rest.create(batch, {"count": 1000})["items"]
    assert len({one["deviceName"] for one in counted}) == 1000
    assert sum(1 for _ in rest.items(f"{product.path}/devices")) == 1002


def test_ten_thousand_devices_are_made_in_one_request(rest):
    product = make_product(rest)
    made = product.devices(10_000)
    assert len({device.device_secret for device in made}) == 10_000
    assert sum(1 for _ in rest.items(f"{product.path}/devices")) == 10_000


def test_devices_are_found_by_prefix_and_status_over_pages(rest, platform):
    product = make_product(rest)
    names = [f"east-{number}" for number in range(7)] + [f"west-{number}" for number in range(3)]
    made = rest.create(f"{product.path}/device-batches", {"deviceNames": names})["items"]

    def found(**query):
        return [device["deviceName"] for page in rest.pages(f"{product.path}/devices", 2, **query) for device in page]

    assert sorted(found()) == sorted(names)
    assert sorted(found(query="east-")) == names[:7]
    assert found(query="EAST") == []
    assert found(query="_ast") == [] and found(query="%") == [], "a prefix is no pattern"
    one = made[0]
    device = Device(product.product_key, one["deviceName"], one["deviceSecret"], one["iotId"], rest)
    with connect(platform, device):
        until(lambda: found(status="ONLINE") == ["east-0"], "it among the online")
        assert found(status="ONLINE", query="west") == []
        assert len(found(status="INACTIVE")) == 9
    until(lambda: found(status="OFFLINE") == ["east-0"], "it among the offline")
    rest.post(f"{product.path}/devices/east-1/disable")
    assert found(status="DISABLED") == ["east-1"]
    rest.refused("GET", f"{product.path}/devices", 400, query={"status": "LOST"})


def test_a_status_follows_the_connection(platform, boiler):
    assert boiler.status == "INACTIVE"
    with connect(platform, boiler):
        until(lambda: boiler.status == "ONLINE", "online")
        first = boiler.now()
    until(lambda: boiler.status == "OFFLINE", "offline")
    now = boiler.now()
    assert now["activatedAt"] == first["activatedAt"] <= now["lastOnlineAt"] <= now["lastOfflineAt"]
    with connect(platform, boiler):
        until(lambda: boiler.status == "ONLINE", "online again")
        again = boiler.now()
    assert again["activatedAt"] == first["activatedAt"]
    assert again["lastOnlineAt"] > first["lastOnlineAt"]


def test_disabling_closes_the_connection_at_once_and_enabling_lets_it_back(platform, rest, boilers, online):
    device, connection = online
    until(lambda: device.status == "ONLINE", "online")
    assert rest.post(f"{device.path}/disable")["status"] == "DISABLED"
    assert connection.closed.wait(PATIENCE_SECONDS)
    line = Logs(boilers).offline_reason(device)
    assert line["reason"] == "Connection occurs exception"
    assert "disabled" in str(line["detail"]), line
    with pytest.raises(Refused) as refused:
        connect(platform, device)
    assert refused.value.code == 5
    assert device.status == "DISABLED"
    assert rest.post(f"{device.path}/enable")["status"] == "OFFLINE"
    with connect(platform, device):
        until(lambda: device.status == "ONLINE", "online")


def test_disabling_twice_or_enabling_what_is_enabled_changes_nothing(rest, boiler):
    for verb, status in [("enable", "INACTIVE"), ("disable", "DISABLED"), ("disable", "DISABLED"), ("enable", "INACTIVE")]:
        assert rest.post(f"{boiler.path}/{verb}")["status"] == status


def test_deleting_closes_the_connection(platform, rest, online):
    device, connection = online
    rest.delete(device.path)
    assert connection.closed.wait(PATIENCE_SECONDS)
    with pytest.raises(Refused) as refused:
        connect(platform, device)
    assert refused.value.code == 5
    rest.refused("POST", f"{device.path}/disable", 404)


def test_a_new_secret_lets_in_and_the_old_one_no_longer(platform, rest, online):
    device, connection = online
    made = rest.post(f"{device.path}/reset-secret")
    assert made["deviceSecret"] != device.device_secret
    assert not connection.closed.is_set(), "its connection is kept"
    with pytest.raises(Refused):
        connect(platform, device)
    assert not connection.closed.is_set(), "a wrong signature never kicks anyone"
    fresh = Device(device.product_key, device.device_name, made["deviceSecret"], device.iot_id, rest)
    with connect(platform, fresh):
        assert connection.closed.wait(PATIENCE_SECONDS), "it is the same device"


def test_what_is_not_there_is_not_found(rest, boilers):
    for method, path in [
        ("GET", "/products/nothing"),
        ("PATCH", "/products/nothing"),
        ("GET", "/products/nothing/devices"),
        ("GET", f"{boilers.path}/devices/nothing"),
        ("DELETE", f"{boilers.path}/devices/nothing"),
        ("POST", f"{boilers.path}/devices/nothing/disable"),
        ("POST", f"{boilers.path}/devices/nothing/enable"),
        ("POST", f"{boilers.path}/devices/nothing/reset-secret"),
    ]:
        rest.refused(method, path, 404, body={"name": "x"} if method == "PATCH" else None)
    rest.refused("POST", "/products/nothing/devices", 404, body={})
    rest.refused("POST", "/products/nothing/device-batches", 404, body={"count": 1})
