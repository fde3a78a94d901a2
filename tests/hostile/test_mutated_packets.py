"""What the fuzzer has found worth keeping, and changes of it, sent by devices that were let in."""

import socket
from contextlib import suppress
from pathlib import Path

import pytest

from hoshu.credentials import credentials
from hoshu.mqtt import connect
from hoshu.wire import enter

CORPUS = Path(__file__).parents[2] / "fuzz/corpus/mqtt"
# What the corpus calls its device, and behind which byte a version's packets stand (fuzz/src/mqtt.rs).
PRODUCT_KEY, DEVICE_NAME = b"a1B2c3D4e5F", b"boiler_01"
FIRST_BYTE = {4: b"\0", 5: b"\1"}
# A device may try to connect 20 times a minute.
DEVICES, CONNECTIONS = 6, 18


def kept(level, device):
    """The corpus in the names of this device, which are as long, so that no length in it is wrong."""
    inputs = [file.read_bytes() for file in sorted(CORPUS.iterdir())]
    inputs = [one[1:] for one in inputs if one.startswith(FIRST_BYTE[level])]
    assert inputs, f"no input of level {level} in {CORPUS}"
    names = {PRODUCT_KEY: device.product_key.encode(), DEVICE_NAME: device.device_name.encode()}
    for theirs, ours in names.items():
        assert len(theirs) == len(ours)
        inputs = [one.replace(theirs, ours) for one in inputs]
    return inputs


def changed(inputs, dice):
    """One of them with a few bytes other than they were, or with another's end."""
    data = bytearray(dice.choice(inputs))
    for _ in range(dice.randrange(4)):
        at, length = dice.randrange(len(data) + 1), dice.randrange(1, 8)
        piece = dice.choice([b"", dice.randbytes(length), data[at : at + length] * 2])
        data[at : at + length] = piece
    if dice.random() < 0.3:
        data[dice.randrange(len(data) + 1) :] = dice.choice(inputs)
    return bytes(data)


def say(stream, data, dice):
    """Sends it in two pieces and nothing more; returns when the platform has closed."""
    cut = dice.randrange(len(data) + 1)
    if stream.send(data[:cut]) and stream.send(data[cut:]):
        with suppress(OSError):  # the platform was quicker
            stream.socket.shutdown(socket.SHUT_WR)
    stream.until_closed()


@pytest.mark.parametrize("level", [4, 5])
def test_no_mutated_packet_harms_the_platform_or_keeps_its_device_out(platform, boilers, dice, level):
    for _ in range(DEVICES):
        device = boilers.device(f"b{dice.randrange(10**8):08}")
        inputs = kept(level, device)
        for number in range(CONNECTIONS):
            data = changed(inputs, dice)
            with enter(platform.mqtt_port, credentials(device), level, clean=number % 2 == 0) as stream:
                say(stream, data, dice)
        with connect(platform, device) as connection:
            reply = connection.ask(device.topic("thing/event/property/post"), {"cycles": 1, "running": 1})
        assert reply["code"] == 200
