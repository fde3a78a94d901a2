"""Well-behaved devices that post all the time while others misbehave.

A program of its own, so that what a test does in its process does not slow them down: it reads who they are
from its standard input, and writes a line for each PUBACK: when the post was sent, and how many
seconds the answer took.
"""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

from hoshu.credentials import Credentials, credentials
from hoshu.wait import until
from hoshu.wire import PUBACK, PUBLISH, connect, packet, publish

PAUSE_SECONDS = 0.1
PAYLOAD = json.dumps({"id": "1", "params": {"cycles": 1, "running": 1}}).encode()
TESTS = Path(__file__).parents[1]


class Neighbours:
    """The program, from outside."""

    def __init__(self, platform, devices, file):
        self.file = Path(file)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hostile.neighbours", str(platform.mqtt_port)],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=self.file.open("wb"),
        )
        shown = [[vars(credentials(one)), one.topic("thing/event/property/post")] for one in devices]
        self._process.stdin.write(json.dumps(shown).encode())
        self._process.stdin.close()
        until(lambda: len(self.since(0)) >= len(devices), "the neighbours are answered")

    def since(self, start):
        """Seconds that answers took, of posts sent after `start`."""
        assert self._process.poll() is None, "a neighbour's connection was closed"
        lines = self.file.read_text().splitlines()
        rows = [tuple(map(float, line.split())) for line in lines if line.count(" ") == 1]
        return [took for sent, took in rows if sent >= start]

    def expect_answers(self, within):
        """Each goes on being answered, from now on."""
        now = time.monotonic()
        until(lambda: len(self.since(now)) >= 20, "the neighbours are answered", within)

    def stop(self):
        self._process.kill()
        self._process.wait()


async def post(port, shown, topic):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(connect(shown))
    await reader.readexactly(4)
    number = 0
    while True:
        number = number % 65535 + 1
        sent = time.monotonic()
        writer.write(publish(topic, PAYLOAD, number))
        while True:
            first, length = await reader.readexactly(2)
            if length & 0x80:
                # A reply, whose length two bytes tell.
                length = length & 0x7F | (await reader.readexactly(1))[0] << 7
            body = await reader.readexactly(length)
            if first >> 4 == PUBACK and int.from_bytes(body[:2], "big") == number:
                break
            if first >> 4 == PUBLISH and first & 2:
                topic_length = int.from_bytes(body[:2], "big")
                writer.write(packet(PUBACK, body[2 + topic_length : 4 + topic_length]))
        print(f"{sent:.6f} {time.monotonic() - sent:.6f}", flush=True)
        await asyncio.sleep(PAUSE_SECONDS)


async def main():
    port = int(sys.argv[1])
    devices = json.load(sys.stdin)
    await asyncio.gather(*(post(port, Credentials(**shown), topic) for shown, topic in devices))


if __name__ == "__main__":
    asyncio.run(main())
