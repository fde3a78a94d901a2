"""The API held against its own OpenAPI document, by schemathesis: all that the document allows and forbids is asked.

A minute of it by default, and the same questions each time, as far as time allows; `HOSHU_API_SECONDS` says how long,
`HOSHU_API_SEED` which.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from hoshu.mqtt import connect
from hoshu.things import make_boiler

HERE = Path(__file__).parent
SECONDS = int(os.environ.get("HOSHU_API_SECONDS", "60"))
SEED = os.environ.get("HOSHU_API_SEED", "1")


@pytest.fixture(scope="module")
def account(platform):
    """REST of an account of its own, since what is asked for may be deleted."""
    return platform.rest(platform.create_account("Schemathesis"))


@pytest.fixture
def named(account, platform):
    """Things that are there: a device that does all that it is told, of a product with a model."""
    product = make_boiler(account)
    device = product.device()
    with connect(platform, device) as connection:
        connection.client.on_message = obey
        connection.subscribe(device.topic("thing/service/+"), device.topic("thing/service/property/set"))
        yield {"HOSHU_PRODUCT_KEY": product.product_key, "HOSHU_DEVICE_NAME": device.device_name}


def obey(client, _data, message):
    reply = {"id": json.loads(message.payload)["id"], "code": 200, "data": {}}
    topic = message.topic.replace("/rrpc/request/", "/rrpc/response/")
    client.publish(topic if topic != message.topic else f"{topic}_reply", json.dumps(reply))


def test_the_api_does_what_its_document_says_and_nothing_else(platform, account, named, tmp_path):
    (user,), (token,) = account.get("/users")["items"], account.get("/tokens")["items"]
    asked = subprocess.run(
        ["st", "--config-file", HERE / "schemathesis.toml", "--no-color", "run", f"{platform.url}/api/openapi.json"]
        + ["--max-time", str(SECONDS), "--seed", SEED, "--continue-on-failure"],
        env={
            **os.environ,
            **named,
            "HOSHU_TOKEN": account.token,
            "HOSHU_OWN_IDS": f"{user['id']} {token['id']}",
            "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"),
        },
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS + 120,
        check=False,
    )
    print(asked.stdout)
    assert asked.returncode == 0
    assert account.get("/account")["name"] == "Schemathesis", "its token was good to the end"
