"""docker-compose.yml as a user starts it: a copy of it and of what it mounts, with secrets and ports of its own."""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import yaml

from containers.engine import docker, inspect, kill_from_the_machine, run
from hoshu.ports import free_port
from hoshu.rest import Rest
from hoshu.wait import until

CHECKOUT = Path(__file__).parents[2]
NEEDED = ["docker-compose.yml", "deploy/compose/make-secrets", "deploy/nats/hoshu.conf", "deploy/postgres/hoshu.conf"]

HEALTHY_SECONDS = 120


def _program():
    """The present Compose where there is one, else the older one."""
    present = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return ["docker", "compose"] if present.returncode == 0 else ["docker-compose"]


class Compose:
    def __init__(self, folder):
        self.folder = Path(folder)
        for name in NEEDED:
            copy = self.folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, copy)
        run(self.folder / "deploy/compose/make-secrets")
        self.services = yaml.safe_load((self.folder / "docker-compose.yml").read_text())["services"]
        self.image = os.environ["HOSHU_IMAGE"]
        # By this name tests/containers/run removes what an interrupted test leaves.
        self.project = os.environ["HOSHU_TEST_PROJECT"]
        self.mqtt_port, self.mqtts_port, self.api_port, grpc_port = (free_port() for _ in range(4))
        self._compose = [*_program(), "--project-name", self.project]
        self._ports = {
            "HOSHU_MQTT_PORT": f"127.0.0.1:{self.mqtt_port}",
            "HOSHU_MQTTS_PORT": f"127.0.0.1:{self.mqtts_port}",
            "HOSHU_API_PORT": f"127.0.0.1:{self.api_port}",
            "HOSHU_GRPC_PORT": f"127.0.0.1:{grpc_port}",
        }

    @property
    def ca_file(self):
        return self.folder / "deploy/compose/tls/ca.pem"

    def compose(self, *arguments, **settings):
        """Runs `docker-compose …`; settings are what a user writes into `.env`."""
        return run(*self._compose, *arguments, cwd=self.folder, env={**os.environ, **self._ports, **settings})

    def up(self, *arguments, **settings):
        self.compose("up", "--detach", *arguments, **settings)
        self.wait_until_healthy()

    def wait_until_healthy(self):
        until(lambda: not self.unwell(), lambda: f"all healthy, but {self.unwell()}", HEALTHY_SECONDS, every=0.5)

    def unwell(self):
        """Who should serve and does not, or has failed, with the end of its log."""

        def is_well(state):
            return state["Health"]["Status"] == "healthy" if "Health" in state else state["ExitCode"] == 0

        return {one["Name"]: docker("logs", "--tail", "5", one["Id"]) for one in self.containers() if not is_well(one["State"])}

    def containers(self, service=None):
        """What the engine knows of them, also of those that have ended."""
        labels = {"project": self.project, **({"service": service} if service else {})}
        filters = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
        return inspect(*docker("ps", "--all", "--quiet", *filters).split())

    def container(self, service):
        (only,) = self.containers(service)
        return only

    def address(self, service):
        """Its own, in the project's network."""
        (network,) = self.container(service)["NetworkSettings"]["Networks"].values()
        return network["IPAddress"]

    def published(self, service, port):
        """The ports of this machine that lead to a service's port, one of each container."""
        return [int(one["NetworkSettings"]["Ports"][f"{port}/tcp"][0]["HostPort"]) for one in self.containers(service)]

    def inside(self, service, *command):
        return docker("exec", self.container(service)["Id"], *command)

    def kill(self, service):
        kill_from_the_machine(self.container(service), self.image)

    def rest(self):
        """REST with the token of an account that is made for it, as the operations guide says."""
        printed = self.inside("api", "hoshu", "account", "create", f"Fleet {secrets.token_hex(4)}")
        (token,) = [line.split()[1] for line in printed.splitlines() if line.startswith("Token ")]
        return Rest(f"http://127.0.0.1:{self.api_port}", token)
