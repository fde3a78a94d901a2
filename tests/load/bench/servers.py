"""PostgreSQL, NATS and Mosquitto for one measurement, each in a folder and on a port of its own."""

import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.machine import program
from hoshu.ports import free_port
from hoshu.wait import until

# As `hoshu up` starts its own, with every statement counted.
POSTGRES_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "shared_preload_libraries": "pg_stat_statements",
    "listen_addresses": "127.0.0.1",
}
MOSQUITTO_SETTINGS = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_connections -1
set_tcp_nodelay true
log_type error
user root
"""


@dataclass(frozen=True)
class Postgres:
    url: str
    pid: int

    def sql(self, statement, database="postgres"):
        """The answer as text: a line a row, columns apart by `|`."""
        done = subprocess.run(
            ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]
            + [self.url.rpartition("/")[0] + f"/{database}", "--command", statement],
            check=True, capture_output=True, text=True, timeout=300,
        )
        return done.stdout.strip()


@dataclass(frozen=True)
class Nats:
    url: str
    monitor: str
    pid: int

    def ask(self, what):
        return requests.get(f"{self.monitor}/{what}", timeout=10).json()

    def streams(self):
        """The state of each stream by its name, as `prefix_UP`."""
        details = self.ask("jsz?streams=true&accounts=true")["account_details"][0].get("stream_detail", [])
        return {one["name"]: one["state"] for one in details}

    def stream(self, name):
        (state,) = (state for whole, state in self.streams().items() if whole.endswith(name))
        return state


@dataclass(frozen=True)
class Mosquitto:
    mqtt_port: int
    pid: int


@contextmanager
def _running(command, log, ready, death="TERM", **options):
    """The kernel ends it if this script is killed."""
    with log.open("ab") as output:
        server = subprocess.Popen(
            ["setpriv", "--pdeathsig", death, *command],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options,
        )
    try:

        def is_ready():
            assert server.poll() is None, f"{command} ended:\n{log.read_text()[-2000:]}"
            return ready()

        until(is_ready, lambda: f"{command} ready, but:\n{log.read_text()[-2000:]}")
        yield server.pid
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def postgres(folder):
    place = folder / "postgres"
    place.mkdir()
    user = []
    if os.getuid() == 0:  # which PostgreSQL refuses to be
        user = ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        folder.chmod(0o755)
        subprocess.run(["chown", "postgres:", place], check=True)
    data = place / "data"
    subprocess.run(
        ["setpriv", "--no-new-privs", *user, "--", program("initdb"), "-D", data]
        + ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
        check=True, capture_output=True, cwd="/",
    )
    port = free_port()
    settings = {**POSTGRES_SETTINGS, "unix_socket_directories": str(place)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = folder / "postgres.log"
    command = [*user, "--", program("postgres"), "-D", str(data), "-p", str(port), *options]
    ready = lambda: "ready to accept connections" in log.read_text()
    with _running(command, log, ready, death="INT", cwd="/") as pid:
        yield Postgres(f"postgres://postgres@127.0.0.1:{port}/postgres", pid)


@contextmanager
def nats(folder):
    ports = folder / "ports"
    ports.mkdir()

    def found():
        return next((json.loads(text) for file in ports.iterdir() if (text := file.read_text())), None)

    command = [program("nats-server"), "-a", "127.0.0.1", "-p", "-1", "-m", "-1", "--ports_file_dir", str(ports)]
    command += ["-js", "-sd", str(folder / "nats")]
    with _running(command, folder / "nats.log", found) as pid:
        yield Nats(found()["nats"][0], found()["monitoring"][0], pid)


@contextmanager
def mosquitto(folder):
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(MOSQUITTO_SETTINGS.format(port=port))
    with _running([program("mosquitto"), "-c", str(settings)], folder / "mosquitto.log", lambda: _listens(port)) as pid:
        yield Mosquitto(port, pid)


def _listens(port):
    listening = f":{port:04X}"
    return any(line.split()[1].endswith(listening) for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A")
