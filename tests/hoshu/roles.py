"""The platform as one process per role, as docker-compose and Kubernetes run it.

It shares the PostgreSQL and NATS servers of the test run (`.ci/with-servers`), unless it is given
others, in a database and under a subject prefix of its own.
"""

import os
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from hoshu.ports import free_port
from hoshu.process import BINARY, Process, create_account, run
from hoshu.rest import Rest
from hoshu.wait import until

# Each role's noun: its login, its schema, and HOSHU_PEER_<NOUN>.
NOUNS = {
    "registry": "registry",
    "tsl-validation": "thing",
    "device-log": "devicelog",
    "gateway": "gateway",
    "api": "api",
}

READY_SECONDS = 60


@dataclass(frozen=True)
class Servers:
    nats_url: str
    database_url: str

    @staticmethod
    def shared():
        return Servers(os.environ["HOSHU_TEST_NATS_URL"], os.environ["HOSHU_TEST_DATABASE_URL"])


class Role:
    """One process: a role is run by several when there is more than one pod."""

    def __init__(self, role, folder, settings, pod=1, program=(BINARY,)):
        self.role = role
        self.name = role if pod == 1 else f"{role}-{pod}"
        self.ops_port, self.grpc_port = free_port(), free_port()
        doors = {"HOSHU_OPS_ADDR": self.ops_port, "HOSHU_GRPC_ADDR": self.grpc_port}
        if role == "api":
            self.api_port = doors["HOSHU_API_ADDR"] = free_port()
        if role == "gateway":
            self.mqtt_port = doors["HOSHU_MQTT_ADDR"] = free_port()
            self.mqtts_port = doors["HOSHU_MQTTS_ADDR"] = free_port()
        own = {setting: f"127.0.0.1:{port}" for setting, port in doors.items()}
        self.process = Process([role], {**settings, **own}, folder / f"{self.name}.log", program)

    def start(self):
        self.process.start()
        self.wait_until_ready()

    def kill(self):
        self.process.kill()

    def readiness(self):
        """What `/readyz` says: whether it is ready, and how its parts are. Nothing: nobody answers."""
        try:
            answer = requests.get(f"http://127.0.0.1:{self.ops_port}/readyz", timeout=2)
        except requests.RequestException:
            return False, ""
        return answer.status_code == 200, answer.text

    def is_ready(self):
        assert not self.process.has_ended, f"{self.name} ended:\n{self.process.log()[-4000:]}"
        return self.readiness()[0]

    def wait_until_ready(self):
        until(self.is_ready, lambda: f"{self.name} ready, but:\n{self.process.log()[-2000:]}", READY_SECONDS)


class Roles:
    def __init__(self, folder, servers=None, links=None, pods=1, program=(BINARY,), **settings):
        """With `links` all its parts reach each other by those, by the names of roles, `nats`, `postgres`
        and, at its doors, `devices` and `people`."""
        self.folder = Path(folder)
        self._are_shared = servers is None
        self._servers = servers or Servers.shared()
        self._links = links
        self.ca_file, key_file = self._certificate()
        self.database = f"hoshu_roles_{secrets.token_hex(4)}"
        self._psql(self._servers.database_url, f"CREATE DATABASE {self.database}")
        password = secrets.token_hex(16)
        administrator = urlsplit(self._servers.database_url)._replace(path=f"/{self.database}")
        self.database_url = administrator.geturl()
        run(["database", "init"], {"HOSHU_DATABASE_URL": self.database_url, "HOSHU_DATABASE_PASSWORD": password})
        shared = {
            "HOSHU_NATS_PREFIX": f"roles{secrets.token_hex(4)}",
            "HOSHU_STREAM_BYTES": str(64 << 20),
            "HOSHU_DATABASE_CONNECTIONS": "8",
            "HOSHU_INTERNAL_TOKEN": secrets.token_hex(16),
            "HOSHU_MASTER_KEY": secrets.token_hex(32),
            "HOSHU_TLS_CERT_FILE": str(self.ca_file),
            "HOSHU_TLS_KEY_FILE": str(key_file),
            "HOSHU_PUBLIC_DEVICE_URL": "http://127.0.0.1",
            **settings,
        }
        made = [Role(role, self.folder, shared, pod, program) for role in NOUNS for pod in range(1, pods + 1)]
        self.roles = {role.name: role for role in made}
        for role in made:
            login = f"hoshu_{NOUNS[role.role]}:{password}"
            host = self._way(role.name, "postgres", administrator)
            own = role.process.settings
            own["HOSHU_DATABASE_URL"] = administrator._replace(netloc=f"{login}@{host}").geturl()
            nats = urlsplit(self._servers.nats_url)
            own["HOSHU_NATS_URL"] = nats._replace(netloc=self._way(role.name, "nats", nats)).geturl()
            for peer, noun in NOUNS.items():
                if peer != role.role:
                    own[f"HOSHU_PEER_{noun.upper()}"] = f"http://127.0.0.1:{self._door(role.name, peer, 'grpc_port')}"
        self.mqtt_port = self._door("devices", "gateway", "mqtt_port")
        self.mqtts_port = self._door("devices", "gateway", "mqtts_port")
        self.api_port = self._door("people", "api", "api_port")

    def _way(self, source, server, url):
        """Host and port by which a role reaches a server."""
        port = self._links.between(source, {server: url.port}) if self._links else url.port
        return f"{url.hostname}:{port}"

    def _door(self, source, role, port):
        """The port by which a role is reached."""
        pods = {pod.name: getattr(pod, port) for pod in self.roles.values() if pod.role == role}
        return self._links.between(source, pods) if self._links else next(iter(pods.values()))

    def second_gateway(self):
        """Another process of the same role, with devices' ports of its own; not started yet."""
        role = Role("gateway", self.folder, self.roles["gateway"].process.settings, pod=2)
        self.roles[role.name] = role
        return role

    def start(self):
        for role in self.roles.values():
            role.process.start()
        for role in self.roles.values():
            role.wait_until_ready()
        return self

    def stop(self):
        for role in self.roles.values():
            if role.process.has_started:
                role.process.kill()
        if self._are_shared:
            self._psql(self._servers.database_url, f"DROP DATABASE {self.database} WITH (FORCE)")

    def rest(self):
        """REST with the token of an account that is made for it."""
        token = create_account("Fleet", self.roles["api"].process.settings)
        return Rest(f"http://127.0.0.1:{self.api_port}", token)

    def sql(self, statements):
        """Runs them in the house's database, as its administrator."""
        self._psql(self.database_url, statements)

    def _psql(self, url, statements):
        subprocess.run(
            ["psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", url, "--command", statements],
            check=True,
            capture_output=True,
            timeout=60,
        )

    def _certificate(self):
        certificate, key = self.folder / "tls.pem", self.folder / "tls.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
            # Some clients, the load among them, take no authority's own certificate for a server's.
            + ["-addext", "basicConstraints=critical,CA:FALSE"]
            + ["-keyout", key, "-out", certificate],
            check=True,
            capture_output=True,
            timeout=60,
        )
        return certificate, key
