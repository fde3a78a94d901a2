"""The platform as one process per role, as docker-compose and Kubernetes run it.

It shares the PostgreSQL and NATS servers of the test run (`.ci/with-servers`), in a database and
under a subject prefix of its own.
"""

import os
import secrets
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import requests

from hoshu.ports import free_port
from hoshu.process import Process, create_account, run
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


class Role:
    def __init__(self, name, folder, settings, log=None):
        self.name = name
        self.ops_port = free_port()
        self.grpc_port = free_port()
        own = {
            "HOSHU_OPS_ADDR": f"127.0.0.1:{self.ops_port}",
            "HOSHU_GRPC_ADDR": f"127.0.0.1:{self.grpc_port}",
        }
        self.process = Process([name], {**settings, **own}, folder / f"{log or name}.log")

    @property
    def peer_address(self):
        return f"http://127.0.0.1:{self.grpc_port}"

    def is_ready(self):
        assert not self.process.has_ended, f"{self.name} ended:\n{self.process.log()[-4000:]}"
        try:
            return requests.get(f"http://127.0.0.1:{self.ops_port}/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def wait_until_ready(self):
        until(self.is_ready, lambda: f"{self.name} ready, but:\n{self.process.log()[-2000:]}", READY_SECONDS)


class Roles:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.mqtt_port, self.mqtts_port, self.api_port = free_port(), free_port(), free_port()
        self.ca_file, key_file = self._certificate()
        server = os.environ["HOSHU_TEST_DATABASE_URL"]
        self._server = server
        self._database = f"hoshu_roles_{secrets.token_hex(4)}"
        self._sql(f"CREATE DATABASE {self._database}")
        password = secrets.token_hex(16)
        administrator = urlsplit(server)._replace(path=f"/{self._database}").geturl()
        run(["database", "init"], {"HOSHU_DATABASE_URL": administrator, "HOSHU_DATABASE_PASSWORD": password})
        shared = {
            "HOSHU_NATS_URL": os.environ["HOSHU_TEST_NATS_URL"],
            "HOSHU_NATS_PREFIX": f"roles{secrets.token_hex(4)}",
            "HOSHU_STREAM_BYTES": str(64 << 20),
            "HOSHU_DATABASE_CONNECTIONS": "8",
            "HOSHU_INTERNAL_TOKEN": secrets.token_hex(16),
            "HOSHU_MASTER_KEY": secrets.token_hex(32),
            "HOSHU_MQTT_ADDR": f"127.0.0.1:{self.mqtt_port}",
            "HOSHU_MQTTS_ADDR": f"127.0.0.1:{self.mqtts_port}",
            "HOSHU_API_ADDR": f"127.0.0.1:{self.api_port}",
            "HOSHU_TLS_CERT_FILE": str(self.ca_file),
            "HOSHU_TLS_KEY_FILE": str(key_file),
            "HOSHU_PUBLIC_DEVICE_URL": "http://127.0.0.1",
        }
        self.roles = {name: Role(name, self.folder, shared) for name in NOUNS}
        login = urlsplit(administrator)
        for name, role in self.roles.items():
            host = f"hoshu_{NOUNS[name]}:{password}@{login.hostname}:{login.port}"
            role.process.settings["HOSHU_DATABASE_URL"] = login._replace(netloc=host).geturl()
            for peer, noun in NOUNS.items():
                if peer != name:
                    role.process.settings[f"HOSHU_PEER_{noun.upper()}"] = self.roles[peer].peer_address

    def second_gateway(self):
        """Another process of the same role, with devices' ports of its own; not started yet."""
        mqtt_port = free_port()
        own = {"HOSHU_MQTT_ADDR": f"127.0.0.1:{mqtt_port}", "HOSHU_MQTTS_ADDR": f"127.0.0.1:{free_port()}"}
        role = Role("gateway", self.folder, {**self.roles["gateway"].process.settings, **own}, log="gateway-2")
        role.mqtt_port = mqtt_port
        self.roles["gateway-2"] = role
        return role

    def start(self):
        for role in self.roles.values():
            role.process.start()
        for role in self.roles.values():
            role.wait_until_ready()
        return self

    def stop(self):
        for role in self.roles.values():
            if not role.process.has_ended:
                role.process.kill()
        self._sql(f"DROP DATABASE {self._database} WITH (FORCE)")

    def rest(self):
        """REST with the token of an account that is made for it."""
        token = create_account("Fleet", self.roles["api"].process.settings)
        return Rest(f"http://127.0.0.1:{self.api_port}", token)

    def _sql(self, statement):
        subprocess.run(
            ["psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", self._server, "--command", statement],
            check=True,
            capture_output=True,
            timeout=60,
        )

    def _certificate(self):
        certificate, key = self.folder / "tls.pem", self.folder / "tls.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
            + ["-keyout", key, "-out", certificate],
            check=True,
            capture_output=True,
            timeout=60,
        )
        return certificate, key
