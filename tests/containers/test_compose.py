"""docker-compose.yml with a container engine: it comes up in order, serves devices, and outlives its containers."""

import pytest

from containers.round_trip import RoundTrip
from faults.fleet import Posters
from hoshu.background import in_background
from hoshu.credentials import credentials
from hoshu.logs import Logs
from hoshu.model import REPORT
from hoshu.mqtt import Connection, connect
from hoshu.ports import free_ports
from hoshu.roles import NOUNS
from hoshu.wait import PATIENCE_SECONDS, until

# How the engine tells that what a service waits for is so.
IS_SO = {"service_healthy": "health_status: healthy", "service_completed_successfully": "die"}

DEVICES = 10
# Posts that must be acknowledged before a container goes, and after it is back.
POSTS = 100


def dependencies(house):
    for service, entry in house.services.items():
        for needed, wish in entry.get("depends_on", {}).items():
            yield service, needed, wish["condition"]


def more_are_acknowledged(fleet):
    wanted = fleet.acknowledged() + POSTS
    until(lambda: fleet.acknowledged() >= wanted, lambda: f"{wanted} posts acknowledged, but {fleet.acknowledged()}", 120)


def all_are_logged_once(logs, acknowledged):
    def known():
        return [line["detail"]["id"] for line in logs.lines(type="TSL")]

    until(lambda: set(acknowledged) <= set(known()), lambda: f"missing: {set(acknowledged) - set(known())}", 60)
    found = known()
    assert len(found) == len(set(found)), "a post became two messages"


def test_each_container_starts_when_what_it_needs_is_there(house):
    for service, needed, condition in dependencies(house):
        ready = house.events.times(needed, IS_SO[condition])[0]
        assert ready <= house.events.times(service, "start")[0], (service, needed)


def test_a_device_is_served_over_tls_with_the_ca_that_was_made(house, rest, tmp_path):
    RoundTrip(house, rest, tmp_path)


@pytest.mark.parametrize("role", NOUNS)
def test_a_killed_container_is_started_again_and_loses_nothing(house, boilers, role):
    fleet = Posters(house, boilers.devices(DEVICES))
    try:
        more_are_acknowledged(fleet)
        before = house.container(role)["RestartCount"]
        house.kill(role)
        until(lambda: house.container(role)["RestartCount"] > before, f"{role} started again")
        house.wait_until_healthy()
        more_are_acknowledged(fleet)
    finally:
        acknowledged = fleet.stop()
    all_are_logged_once(Logs(boilers), acknowledged)


def test_containers_that_come_back_at_each_others_addresses_are_found(house, boilers):
    """One that is made anew gets an address that is free: another's, when that was made anew too."""
    services = ["registry", "tsl-validation", "nats", "postgres"]
    fleet = Posters(house, boilers.devices(DEVICES))
    try:
        more_are_acknowledged(fleet)
        before = {service: house.address(service) for service in services}
        house.compose("rm", "--stop", "--force", *services)
        for service in sorted(services, key=before.get, reverse=True):
            house.compose("up", "--detach", "--no-deps", service)
        after = {service: house.address(service) for service in services}
        assert all(after[service] != before[service] for service in services), (before, after)
        house.wait_until_healthy()
        more_are_acknowledged(fleet)
    finally:
        acknowledged = fleet.stop()
    all_are_logged_once(Logs(boilers), acknowledged)


def test_two_gateways_share_the_devices_when_their_ports_are_ranges(house, boilers):
    first, last = free_ports(2)
    settings = {"HOSHU_MQTT_PORT": f"127.0.0.1:{first}-{last}"}
    first, last = free_ports(2)
    settings["HOSHU_MQTTS_PORT"] = f"127.0.0.1:{first}-{last}"
    house.up("--scale", "gateway=2", **settings)
    try:
        device = boilers.device()
        before, after = (Connection(port, credentials(device)) for port in house.published("gateway", 1883))
        assert before.closed.wait(PATIENCE_SECONDS)
        assert Logs(boilers).offline_reason(device)["reason"] == "Kicked by the same device"
        asked = in_background(device.rest.post, f"{device.path}/properties", {"params": {"setpoint": 7.5}})
        topic, request = after.receive()
        after.publish(f"{topic}_reply", {"id": request["id"], "code": 200, "data": {}})
        assert asked.result(PATIENCE_SECONDS)["answered"] is True
        after.disconnect()
    finally:
        house.up()


def test_down_ends_each_container_before_what_it_needs_and_up_has_all_data_again(house, boilers):
    device = boilers.device()
    logs = Logs(boilers)
    with connect(house, device, tls=True) as connection:
        assert connection.ask(device.topic("thing/event/property/post"), REPORT)["code"] == 200
    logs.offline_reason(device)
    until(lambda: device.properties() == REPORT, "the values")
    lines = logs.lines(deviceName=device.device_name)

    house.compose("down")
    assert house.containers() == []
    for service, needed, condition in dependencies(house):
        if condition == "service_healthy":
            assert house.events.times(service, "die")[-1] <= house.events.times(needed, "kill")[-1], (service, needed)
    house.up()

    assert device.properties() == REPORT
    assert logs.lines(deviceName=device.device_name) == lines
    with connect(house, device, tls=True) as connection:
        assert connection.ask(device.topic("thing/event/property/post"), {"cycles": 1})["code"] == 200
