"""Two processes at the devices' door."""

import pytest

from hoshu.background import in_background
from hoshu.credentials import credentials
from hoshu.logs import REPORT_UP, TO_DEVICE, Logs, reported, sent
from hoshu.mqtt import Connection
from hoshu.things import make_boiler
from hoshu.wait import PATIENCE_SECONDS, until


@pytest.fixture(scope="module")
def product(rest):
    return make_boiler(rest)


@pytest.fixture(scope="module")
def second(roles):
    gateway = roles.second_gateway()
    gateway.process.start()
    gateway.wait_until_ready()
    return gateway


def is_online(device):
    until(lambda: device.status == "ONLINE", "online")


def test_a_device_that_moves_is_kicked_from_the_first_and_reached_at_the_second(roles, second, rest, product):
    device = product.device()
    logs = Logs(product)
    first = Connection(roles.mqtt_port, credentials(device))
    is_online(device)
    moved = Connection(second.mqtt_port, credentials(device))
    assert first.closed.wait(PATIENCE_SECONDS)
    assert logs.offline_reason(device)["reason"] == "Kicked by the same device"
    assert device.status == "ONLINE"
    asked = in_background(rest.post, f"{device.path}/properties", {"params": {"setpoint": 7.5}, "waitSeconds": 30})
    topic, request = moved.receive()
    moved.publish(f"{topic}_reply", {"id": request["id"], "code": 200, "data": {}})
    answer = asked.result(PATIENCE_SECONDS)
    assert (answer["answered"], answer["code"]) == (True, 200)
    logs.expect(answer["messageId"], TO_DEVICE, sent(), REPORT_UP, reported(200))
    moved.disconnect()


def test_of_a_killed_gateways_devices_only_those_that_are_nowhere_go_offline(roles, second, product):
    logs = Logs(product)
    stays, moves = product.device(), product.device()
    Connection(second.mqtt_port, credentials(stays))
    Connection(second.mqtt_port, credentials(moves))
    is_online(stays)
    is_online(moves)
    second.process.kill()
    again = Connection(roles.mqtt_port, credentials(moves))
    # Noticed within 15 s, and a little for a slow machine.
    until(lambda: stays.status == "OFFLINE", "offline", within=25)
    line = logs.offline_reason(stays)
    assert (line["reason"], line["status"]) == ("Connection occurs exception", "FAILURE")
    assert moves.status == "ONLINE" and not again.closed.is_set()
    again.ask(moves.topic("thing/event/property/post"), {"cycles": 1})
    again.disconnect()
