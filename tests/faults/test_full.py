"""Disks and streams that are full: senders feel it, operators see it, and nothing is lost."""

import pytest

from faults.house import House
from faults.posting import posting
from hoshu.disk import SmallDisk
from hoshu.servers import Nats, Postgres
from hoshu.wait import until


@pytest.fixture
def disk():
    disk = SmallDisk(mebibytes=192)
    yield disk
    disk.remove()


@pytest.fixture
def make_house(tmp_path):
    houses = []

    def make(**options):
        houses.append(House(tmp_path, **options))
        return houses[-1]

    yield make
    for house in houses:
        house.stop()


def until_it_says(role, why):
    """Until `/readyz` is not well, and says why; the log says it too."""
    until(lambda: not role.readiness()[0] and why in role.readiness()[1], lambda: f"{why!r} in {role.readiness()[1]}", 60)
    assert why in role.process.log()


def test_a_full_disk_of_postgres_holds_up_what_needs_it_and_no_device(disk, make_house, tmp_path):
    house = make_house(postgres=Postgres(tmp_path, store=disk.folder))
    with posting(house.roles, house.roles.rest()) as fleet:
        disk.fill()
        until_it_says(house.roles.roles["device-log"], "No space left on device")
        fleet.until_more_are_acknowledged(100)
        disk.free()
        house.wait_until_ready()


def test_a_full_disk_of_nats_is_felt_by_senders(disk, make_house, tmp_path):
    house = make_house(nats=Nats(tmp_path, store=disk.folder), HOSHU_STREAM_BYTES=str(8 << 20))
    with posting(house.roles, house.roles.rest()) as fleet:
        disk.fill()
        fleet.until_none_is_acknowledged()
        until_it_says(house.roles.roles["gateway"], "ack")
        disk.free()
        # A NATS 2.9 that could not write once does not try again: docs/operations.md says so.
        house.killed("nats")
        house.wait_until_ready()


def test_a_full_stream_is_felt_by_senders_until_it_is_read(make_house):
    house = make_house(HOSHU_STREAM_BYTES=str(128 * 1024))
    with posting(house.roles, house.roles.rest()) as fleet:
        house.roles.roles["tsl-validation"].kill()
        fleet.until_none_is_acknowledged()
        until_it_says(house.roles.roles["gateway"], "maximum bytes exceeded")
        house.roles.roles["tsl-validation"].start()
        house.wait_until_ready()
