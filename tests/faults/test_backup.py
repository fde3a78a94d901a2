"""A backup as the operations guide makes it, and the house that rises from it alone."""

import dataclasses
import shutil
import subprocess

import pytest

from faults.fleet import Posters
from hoshu.documents import blocks, page, section
from hoshu.logs import REPORT_UP, TO_DEVICE, Logs, reported
from hoshu.model import REPORT
from hoshu.mqtt import connect
from hoshu.platform import Platform
from hoshu.process import environment
from hoshu.rest import Rest
from hoshu.things import make_boiler
from hoshu.wait import until

REPORTING = 5
POSTS = 50
PROPERTIES = "thing/event/property/post"


def do_as_the_guide_says(heading, folder):
    """Runs the commands under a heading as their reader does, in the folder that holds `.hoshu`."""
    (block,) = blocks(section(page("operations.md"), heading))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.commands],
        cwd=folder, env=environment({}), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False,
    )
    assert done.returncode == 0, f"{heading}: {done.stdout}{done.stderr}"


def burn(house):
    house.process.kill()

    def is_gone():
        # Its servers, which end with it, may still be at their files.
        shutil.rmtree(house.folder, ignore_errors=True)
        return not house.folder.exists()

    until(is_gone, "nothing left of it")


@pytest.fixture
def old(tmp_path):
    platform = Platform(tmp_path / "old")
    yield platform.start()
    if not platform.process.has_ended:
        platform.stop()


@pytest.fixture
def new(tmp_path):
    """Not started yet."""
    platform = Platform(tmp_path / "new")
    yield platform
    if platform.process.has_started:
        platform.stop()


def test_from_a_backup_alone_the_house_rises_with_its_devices_values_lines_tokens_and_audit_trail(old, new):
    rest = old.rest()
    product = make_boiler(rest)
    device, reporting = product.device(), product.devices(REPORTING)
    with connect(old, device) as connection:
        connection.ask(device.topic(PROPERTIES), REPORT, request_id="before")
    token = rest.create("/tokens", {"name": "a viewer", "role": "VIEWER"})["token"]
    subject = f"product/{product.product_key}"
    audited = until(lambda: list(rest.items("/audit", subject=subject)), "its entry in the audit trail")
    line = Logs(product).tsl_line(device, "before")
    versions = rest.get(f"{product.path}/tsl/versions")
    trusted = old.ca_file.read_bytes()

    fleet = Posters(old, reporting)
    fleet.until_acknowledged(POSTS)
    do_as_the_guide_says("## Backup", old.folder)
    fleet.stop()
    shutil.move(old.folder / "backup", new.folder)
    burn(old)
    do_as_the_guide_says("## Restore", new.folder)
    new.start()

    rest = new.rest()
    product, device = (dataclasses.replace(thing, rest=rest) for thing in (product, device))
    logs = Logs(product)
    assert Rest(new.url, token).get(product.path)["productKey"] == product.product_key
    assert rest.get(f"{product.path}/tsl/versions") == versions
    assert all(entry in list(rest.items("/audit", subject=subject)) for entry in audited)
    assert logs.tsl_line(device, "before") == line
    assert device.properties() == REPORT
    assert new.ca_file.read_bytes() == trusted
    with connect(new, device, tls=True) as connection:
        connection.ask(device.topic(PROPERTIES), {"cycles": 413}, request_id="after")
    logs.expect_of(device, "after", REPORT_UP, reported(200), TO_DEVICE)
    assert device.properties() == {**REPORT, "cycles": 413}
