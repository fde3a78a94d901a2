"""What every measurement is given: the load, houses to point it at, and how long it may take."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from bench.build import Build

# Limits protect a shared platform from one device; here one machine plays all of them.
RAISED = {
    "HOSHU_GATEWAY_UP_PER_SECOND": "100000",
    "HOSHU_GATEWAY_UP_BURST": "100000",
    "HOSHU_GATEWAY_DOWN_PER_SECOND": "100000",
    "HOSHU_GATEWAY_DOWN_BURST": "100000",
    "HOSHU_GATEWAY_ACCOUNT_PER_SECOND": "1000000",
}
LONGEST_RUN_SECONDS = 600


@dataclass(frozen=True)
class Door:
    """Where the load connects, and whose processor and memory it watches."""

    mqtt_port: int
    pids: tuple
    # None: a broker that lets in anyone.
    api_url: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None

    @property
    def options(self):
        options = ["--mqtt", f"127.0.0.1:{self.mqtt_port}"]
        options += [part for pid in self.pids for part in ("--pid", str(pid))]
        options += ["--api", self.api_url, "--token-file", self.token_file] if self.api_url else ["--broker"]
        return options + (["--ca-file", self.ca_file] if self.ca_file else [])


def door_of(house, tls=False):
    """Of `hoshu up`, whose servers are its children."""
    return Door(
        house.mqtts_port if tls else house.mqtt_port,
        (house.process.pid,),
        house.url,
        house.data / "admin-token",
        house.ca_file if tls else None,
    )


def door_of_broker(broker):
    return Door(broker.mqtt_port, (broker.pid,))


class Bench:
    def __init__(self, build: Build, quick):
        self.build, self.quick = build, quick
        # hoshu.process reads it when it is imported.
        os.environ["HOSHU_BINARY"] = str(build.hoshu)

    def seconds(self, long):
        return max(2, long // 8) if self.quick else long

    def count(self, many):
        return max(1, many // 10) if self.quick else many

    def load(self, door, mode, **options):
        """One run of the load; answers with what it measured."""
        words = [mode]
        for name, value in options.items():
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
        print("load", *words, f"to port {door.mqtt_port}", flush=True)
        done = subprocess.run(
            [self.build.load, *words, *door.options],
            stdout=subprocess.PIPE, text=True, timeout=LONGEST_RUN_SECONDS, check=False,
        )
        if done.returncode != 0:
            sys.exit("the load failed")
        measured = json.loads(done.stdout)
        print(json.dumps(measured), flush=True)
        return measured

    @contextmanager
    def folder(self):
        folder = Path(tempfile.mkdtemp(prefix="hoshu-bench."))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    @contextmanager
    def house(self, **settings):
        """`hoshu up`, with an empty data folder."""
        from hoshu.platform import Platform

        with self.folder() as folder:
            house = Platform(folder, **RAISED, **settings)
            try:
                yield house.start()
            finally:
                house.stop()

    @contextmanager
    def servers(self):
        """A PostgreSQL and a NATS that are looked into."""
        with ExitStack() as stack:
            folder = stack.enter_context(self.folder())
            yield stack.enter_context(servers.postgres(folder)), stack.enter_context(servers.nats(folder))

    @contextmanager
    def mosquitto(self):
        with self.folder() as folder, servers.mosquitto(folder) as broker:
            yield broker

    @contextmanager
    def roles(self, postgres, nats, **settings):
        """A process per role, none of them started; `settings` are everyone's, raised limits the gateway's."""
        os.environ["HOSHU_TEST_DATABASE_URL"] = postgres.url
        os.environ["HOSHU_TEST_NATS_URL"] = nats.url
        from hoshu.roles import Roles

        with self.folder() as folder:
            house = Roles(folder)
            for role in house.roles.values():
                role.process.settings.update(settings)
            house.roles["gateway"].process.settings.update(RAISED)
            try:
                yield house
            finally:
                house.stop()


def start(house, *names):
    for name in names:
        house.roles[name].process.start()
    for name in names:
        house.roles[name].wait_until_ready()
