"""`hoshu up` stopped, killed and started again."""

import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from hoshu.disk import SmallDisk
from hoshu.logs import Logs
from hoshu.model import REPORT
from hoshu.mqtt import Refused, connect
from hoshu.platform import Platform
from hoshu.process import BINARY, PREVIOUS_BINARY, children_of
from hoshu.things import make_boiler
from hoshu.wait import PATIENCE_SECONDS, until


@pytest.fixture
def house(tmp_path):
    platform = Platform(tmp_path)
    yield platform.start()
    if not platform.process.has_ended:
        platform.stop()


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def post(house, device):
    with connect(house, device) as connection:
        assert connection.ask(device.topic("thing/event/property/post"), REPORT)["code"] == 200


def test_stopped_and_started_again_it_finds_its_data(house):
    product = make_boiler(house.rest())
    device = product.device()
    post(house, device)
    token = house.admin_token
    servers = children_of(house.process.pid)
    assert len(servers) >= 2
    assert house.stop() == 0
    until(lambda: not any(map(is_alive, servers)), "its servers gone")
    house.start()
    assert house.admin_token == token
    until(lambda: device.properties() == REPORT, "what was reported before")
    assert device.status == "OFFLINE"
    post(house, device)


@pytest.mark.skipif(PREVIOUS_BINARY == BINARY, reason="HOSHU_PREVIOUS_BINARY names no older release")
def test_what_an_older_release_has_written_is_found_by_this_one(tmp_path):
    house = Platform(tmp_path)
    house.process.program = (PREVIOUS_BINARY,)
    try:
        house.start()
        product = make_boiler(house.rest())
        device = product.device()
        post(house, device)
        assert house.stop() == 0
        house.process.program = (BINARY,)
        house.start()
        assert device.properties() == REPORT
        # Its lines may have been on their way when it stopped.
        lines = until(lambda: Logs(product).lines(type="UPSTREAM"), "the report's line")
        assert len(lines) == 1
        post(house, device)
    finally:
        if not house.process.has_ended:
            house.stop()


def test_killed_it_leaves_no_server_and_comes_back(house):
    product = make_boiler(house.rest())
    device = product.device()
    post(house, device)
    servers = children_of(house.process.pid)
    house.process.kill()
    until(lambda: not any(map(is_alive, servers)), "its servers gone")
    house.start()
    assert device.properties() == REPORT
    post(house, device)


def test_a_device_of_a_killed_platform_is_soon_offline(house):
    device = make_boiler(house.rest()).device()
    connect(house, device)
    until(lambda: device.status == "ONLINE", "online")
    house.process.kill()
    house.start()
    until(lambda: device.status == "OFFLINE", "offline", within=PATIENCE_SECONDS)


@pytest.mark.parametrize("name", ["postgres", "nats-server"])
def test_a_server_that_dies_is_started_again(house, name):
    product = make_boiler(house.rest())
    device = product.device()
    post(house, device)
    (server, *_) = [pid for pid in children_of(house.process.pid) if Path(f"/proc/{pid}/comm").read_text().strip() == name]
    os.kill(server, signal.SIGKILL)
    until(lambda: not is_alive(server), "it dead")

    def works():
        return house.rest().send("GET", product.path).status_code == 200

    until(works, "the platform well again")
    until(lambda: posted(house, device), "a post answered")


@pytest.fixture
def disk():
    disk = SmallDisk(mebibytes=400)
    yield disk
    disk.remove()


@pytest.fixture
def small_house(disk):
    platform = Platform(disk.folder / "house", HOSHU_STREAM_BYTES=str(8 << 20))
    yield platform.start()
    platform.stop()


def test_when_its_disk_was_full_all_goes_on_by_itself(disk, small_house):
    house = small_house
    product = make_boiler(house.rest())
    device = product.device()
    topic = device.topic("thing/event/property/post")
    with connect(house, device) as connection:
        disk.fill()
        posts = [json.dumps({"id": str(number), "params": {"cycles": number}}) for number in range(50)]
        sent = [connection.client.publish(topic, text, qos=1) for text in posts]
        until(lambda: "nats is full" in house.process.log(), "it told the owner")
        # No disk is full for a moment only.
        time.sleep(3)
        assert not any(one.is_published() for one in sent), "senders wait"
        disk.free()
        until(lambda: all(one.is_published() for one in sent), "all acknowledged", within=60)
    until(lambda: "there is room on its disk again" in house.process.log(), "its NATS begun anew")
    until(lambda: device.properties().get("cycles") == 49, "what was reported last", within=60)
    post(house, device)


def test_a_disk_without_room_for_the_streams_is_a_clear_error(disk):
    platform = Platform(disk.folder / "house")
    platform.process.start()
    until(lambda: "5 streams of HOSHU_STREAM_BYTES=1073741824" in platform.process.log(), "it says what to set", 60)
    platform.process.terminate()


def posted(house, device):
    try:
        post(house, device)
    except (AssertionError, OSError, Refused):
        return False
    return True


def test_a_taken_port_is_a_clear_error(tmp_path):
    platform = Platform(tmp_path)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", platform.mqtt_port))
        other.listen()
        platform.process.start()
        until(lambda: platform.process.has_ended, "it ended", 60)
    assert platform.process.terminate() != 0
    assert "HOSHU_MQTT_ADDR" in platform.process.log()


def test_a_second_platform_on_the_same_folder_is_refused(house, tmp_path):
    second = Platform(tmp_path / "second", HOSHU_DATA_DIR=str(house.data))
    second.process.start()
    until(lambda: second.process.has_ended, "it ended", 60)
    assert second.process.terminate() != 0
    assert "HOSHU_DATA_DIR" in second.process.log()
    assert house.rest().get("/account")["name"] == "default", "the first is well"
