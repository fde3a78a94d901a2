"""Devices that do nothing but come back, thousands of them, from many addresses.

A program of its own: it reads from its standard input who they are, and writes a line for each thing that
happens to one of them: when, which device, and what (`in`, `out`, `refused CODE`, `closed` without an answer,
`failed` to connect).
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from hoshu.credentials import Credentials, credentials
from hoshu.wire import connect

TESTS = Path(__file__).parents[1]
# Of one program; more make it slower than the platform.
DEVICES = 2500
# As many routers, each with its devices behind it.
ADDRESSES = 200
# As a device of the vendor's SDKs waits before it tries again, at first and at most.
FIRST_SECONDS, LONGEST_SECONDS = 1, 8
ANSWER_SECONDS = 30


class Storm:
    """The programs, from outside."""

    def __init__(self, port, devices, folder):
        self.files, self._programs = [], []
        for start in range(0, len(devices), DEVICES):
            file = folder / f"storm-{start}"
            program = subprocess.Popen(
                [sys.executable, "-m", "faults.storm", str(port)],
                cwd=TESTS,
                stdin=subprocess.PIPE,
                stdout=file.open("wb"),
            )
            program.stdin.write(json.dumps([vars(credentials(one)) for one in devices[start : start + DEVICES]]).encode())
            program.stdin.close()
            self.files.append(file)
            self._programs.append(program)

    def events(self, since=0):
        """What happened to each device after `since`: pairs of time and words."""
        happened = defaultdict(list)
        for file in self.files:
            for line in file.read_text().splitlines(keepends=True):
                when, name, *words = line.split()
                if line.endswith("\n") and float(when) >= since:
                    happened[name].append((float(when), *words))
        return happened

    def inside(self, since=0):
        """Devices whose latest news since then is that they were let in."""
        return sum(1 for happened in self.events(since).values() if happened[-1][1] == "in")

    def outside(self, since=0):
        """What happened to those that were not, of a few."""
        return [happened for happened in self.events(since).values() if happened[-1][1] != "in"][:3]

    def stop(self):
        for program in self._programs:
            program.kill()
            program.wait()


class Device(asyncio.Protocol):
    """One attempt to come in, and the connection that it became."""

    def __init__(self, shown, name):
        self.shown, self.name = shown, name
        self.over = asyncio.get_running_loop().create_future()
        self.was_in = self.was_answered = False

    def connection_made(self, transport):
        self.transport = transport
        transport.write(connect(self.shown, 5, keep_alive=1200))

    def data_received(self, data):
        if self.was_answered:
            return
        self.was_answered = True
        if data[3]:
            say(self.name, f"refused {data[3]}")
            self.transport.close()
        else:
            self.was_in = True
            say(self.name, "in")

    def connection_lost(self, _error):
        if self.was_in:
            say(self.name, "out")
        elif not self.was_answered:
            say(self.name, "closed")
        if not self.over.done():
            self.over.set_result(None)


def say(name, what):
    print(f"{time.monotonic():.3f} {name} {what}")


async def live(port, shown, number):
    """Comes in, and comes back whenever it was thrown out."""
    loop = asyncio.get_running_loop()
    name = shown.username.split("&")[0]
    source = (f"127.0.1.{number % ADDRESSES + 1}", 0)
    failures = 0
    await asyncio.sleep(random.random())
    while True:
        try:
            _, device = await loop.create_connection(lambda: Device(shown, name), "127.0.0.1", port, local_addr=source)
            loop.call_later(ANSWER_SECONDS, lambda: device.was_answered or device.transport.abort())
            await device.over
            failures = 0 if device.was_in else failures + 1
        except OSError:
            failures += 1
            say(name, "failed")
        longest = min(FIRST_SECONDS * 2**failures, LONGEST_SECONDS)
        await asyncio.sleep(random.uniform(0.5, 1) * longest)


async def main():
    port = int(sys.argv[1])
    devices = [Credentials(**shown) for shown in json.load(sys.stdin)]
    living = [asyncio.create_task(live(port, shown, number)) for number, shown in enumerate(devices)]
    while living:
        await asyncio.sleep(0.1)
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
