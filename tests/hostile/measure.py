"""How much neighbours notice of each attack: the long form of the hostile tests, with times.

usage, in tests/: python -m hostile.measure [SECONDS [ATTACK]]     HOSHU_BINARY names the binary

Ten devices post ten times a second each, first alone and then while another program attacks as fast as it can.
Attacker, platform, database and bus share this machine's processors: the first row shows what the attacker's own
work costs, sent to a port that only throws it away.
"""

import multiprocessing
import shutil
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from hostile.neighbours import Neighbours
from hostile.resident import Resident
from hoshu.credentials import credentials
from hoshu.platform import Platform
from hoshu.things import make_boiler
from hoshu.wire import CONNACK, PING, PUBACK, Stream, connect, enter, field, publish, subscribe, unsubscribe, variable

CROWD = 1000
LARGEST = 256 * 1024


class Target:
    """What an attacker knows."""

    def __init__(self, platform, devices):
        self.port, self.tls_port, self.ca_file = platform.mqtt_port, platform.mqtts_port, platform.ca_file
        self.shown = [credentials(one) for one in devices]
        self.topics = [one.user_topic("update") for one in devices]
        self.own_filter = devices[0].user_topic("get")


def sink(target):
    """PINGREQs to a port that throws them away."""
    door = socket.create_server(("127.0.0.1", 0))

    def swallow():
        stream, _ = door.accept()
        while stream.recv(1 << 16):
            pass

    threading.Thread(target=swallow, daemon=True).start()
    stream = Stream(door.getsockname()[1])
    while True:
        stream.send(PING * 20_000)


def half_open(target):
    """A thousand connections that say nothing, each renewed when it is closed."""
    crowd = []
    while True:
        while len(crowd) < CROWD:
            crowd.append(Stream(target.port, source="127.0.9.1"))
        for one in list(crowd):
            one.socket.settimeout(0.0005)
            with suppress(TimeoutError):
                with suppress(ConnectionError):
                    one.socket.recv(1)
                one.close()
                crowd.remove(one)


def byte_by_byte(target):
    """Three hundred CONNECTs, a byte each in turn."""
    data = connect(target.shown[0])
    while True:
        crowd = [Stream(target.port, source="127.0.9.2") for _ in range(300)]
        for at in range(len(data) - 1):
            for one in crowd:
                one.send(data[at : at + 1])
        for one in crowd:
            one.close()


def handshakes(target):
    """TLS handshakes to their end, and nothing behind them."""
    while True:
        Stream(target.tls_port, source="127.0.9.3", ca_file=target.ca_file).close()


def wrong_passwords(target):
    """CONNECTs with a wrong signature, from as many addresses as are there."""
    number = 0
    while True:
        number += 1
        shown = target.shown[number % len(target.shown)]
        with Stream(target.port, source=f"127.0.{10 + number % 200}.{1 + number % 250}") as stranger:
            stranger.send(connect(type(shown)(shown.client_id, shown.username, "0" * 64)))
            stranger.expect(CONNACK)


def noise(target):
    """Connections with bytes that are no MQTT."""
    while True:
        with Stream(target.port, source="127.0.9.4") as stranger:
            stranger.send(b"\x10\xff\xff\xff\x7f" * 100)
            stranger.until_closed()


def flood(packets):
    """One device that sends as fast as it is read, and reads its answers."""

    def run(target):
        stream = enter(target.port, target.shown[0])

        def swallow():
            with suppress(OSError):
                while stream.socket.recv(1 << 16):
                    pass

        threading.Thread(target=swallow, daemon=True).start()
        data = packets(target)
        while stream.send(data):
            pass

    return run


def never_reading(target):
    """Twenty devices that ask and never read."""
    streams = [enter(target.port, shown, receive_buffer=4096) for shown in target.shown[:20]]
    for stream in streams:
        stream.socket.settimeout(0.01)
    while True:
        for stream in streams:
            with suppress(TimeoutError):
                stream.send(PING * 5000)


def largest_payloads(target):
    """Four devices with payloads of 256 KiB, each when the one before is acknowledged."""
    streams = [enter(target.port, shown) for shown in target.shown[:4]]
    number = 0
    while True:
        number = number % 65535 + 1
        for stream, topic in zip(streams, target.topics):
            stream.send(publish(topic, b"x" * LARGEST, number))
        for stream in streams:
            stream.expect(PUBACK)


def oversized(target):
    """Packets of 256 MiB from one device."""
    head = field(target.topics[0]) + b"\x00\x01"
    stream = enter(target.port, target.shown[0])
    chunk = b"x" * (1 << 20)
    while True:
        stream.send(b"\x32" + variable(len(head) + 255 * len(chunk)) + head)
        for _ in range(255):
            stream.send(chunk)
        stream.expect(PUBACK)


ATTACKS = {
    "nobody; an attacker's work without an attack": sink,
    "1,000 connections that say nothing": half_open,
    "300 CONNECTs byte by byte": byte_by_byte,
    "bytes that are no MQTT": noise,
    "TLS handshakes, abandoned": handshakes,
    "wrong passwords from many addresses": wrong_passwords,
    "PINGREQ": flood(lambda target: PING * 20_000),
    "SUBSCRIBE, 8 filters": flood(lambda target: subscribe(1, [f"{target.own_filter}/{n}" for n in range(8)]) * 500),
    "SUBSCRIBE, 10,000 filters": flood(lambda target: subscribe(1, ["#"] * 10_000)),
    "UNSUBSCRIBE, 10,000 filters": flood(lambda target: unsubscribe(1, ["/a"] * 10_000)),
    "PUBLISH over its rate, QoS 0": flood(lambda target: publish(target.topics[0], b"x" * 100) * 1000),
    "PUBLISH to foreign topics": flood(lambda target: publish("/nobodys/topic", b"x" * 100) * 1000),
    "packets of 256 MiB": oversized,
    "payloads of 256 KiB, four devices": largest_payloads,
    "20 devices that never read": never_reading,
}


def percentile(values, share):
    return sorted(values)[int(len(values) * share)] * 1000


def measure(platform, neighbours, rest_of, name, seconds):
    target = Target(platform, rest_of.devices(20))
    resident = Resident(platform.process.pid)
    start = time.monotonic()
    time.sleep(seconds)
    before, bytes_before = neighbours.since(start), resident.now()
    resident.forget_peak()
    attacker = multiprocessing.get_context("fork").Process(target=ATTACKS[name], args=(target,), daemon=True)
    start = time.monotonic()
    attacker.start()
    attacker.join(seconds)
    # One that was disconnected for it has done what it could.
    lasted = time.monotonic() - start
    during = neighbours.since(start)
    attacker.kill()
    attacker.join()
    cost = resident.peak() - bytes_before
    times = [percentile(of, share) for of in (before, during) for share in (0.5, 0.99)]
    return (*times, times[3] / times[1], cost / (1 << 20), lasted, len(during) / lasted)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 15
    folder = Path(tempfile.mkdtemp())
    platform = Platform(folder).start()
    try:
        boilers = make_boiler(platform.rest())
        neighbours = Neighbours(platform, boilers.devices(10), folder / "answers")
        print("| attack | p50 before, ms | p99 before | p50 during | p99 during | p99, times | memory at worst, MiB | lasted, s | posts/s |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for name in sys.argv[2:] or ATTACKS:
            row = measure(platform, neighbours, boilers, name, seconds)
            print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in row) + " |", flush=True)
        neighbours.stop()
    finally:
        platform.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
