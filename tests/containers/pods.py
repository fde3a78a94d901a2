"""deploy/kubernetes as a user puts it together, its pods started by podman, PostgreSQL and NATS beside them.

Podman is no cluster. What it makes of a manifest is a pod: user, rights, file systems, limits, environment, volumes. So

- each pod has an address of its own, and the Services are lines in `/etc/hosts`;
- the Job is its pod;
- a Secret is given as a ConfigMap of its name, since podman's releases differ in how they read one;
- probes and ports are left out, or podman would ask by curl and systemd, and take the same ports of this machine for
  every pod. The tests ask the probes themselves.
"""

import json
import os
import random
import secrets
import shutil
from pathlib import Path

import requests
import yaml

from containers.engine import run
from hoshu.rest import Rest
from hoshu.wait import until

CHECKOUT = Path(__file__).parents[2]
READY_SECONDS = 120


def podman(*arguments, **options):
    return run("podman", *arguments, **options)


def named(objects, *kinds):
    return {one["metadata"]["name"]: one for one in objects if one["kind"] in kinds}


class Pods:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.network = f"hoshu{secrets.token_hex(4)}"
        self._subnet = f"10.{random.randint(64, 250)}.{random.randint(0, 250)}"
        self._numbers = iter(range(10, 250))
        self.postgres, self.nats = self._address(), self._address()
        self.objects = self._put_together()
        self.workloads = named(self.objects, "Deployment", "Job")
        self.addresses = {name: self._address() for name in self.workloads}
        self.password = f"n{secrets.token_hex(16)}"
        self._secrets = self._fill_in_secrets()

    # Where devices connect.
    mqtts_port = 8883

    @property
    def host(self):
        return self.addresses["hoshu-gateway"]

    @property
    def ca_file(self):
        return self.folder / "deploy/compose/tls/ca.pem"

    def start(self):
        self._make_network()
        self._load_images()
        self._start_stores()
        self.play("hoshu-database-init")
        until(lambda: self.state("hoshu-database-init")["Status"] == "exited", "the Job's end")
        assert self.state("hoshu-database-init")["ExitCode"] == 0, self.log("hoshu-database-init")
        for name in named(self.objects, "Deployment"):
            self.play(name)
        for name in named(self.objects, "Deployment"):
            until(
                lambda name=name: self.probe(name, "readinessProbe"),
                lambda name=name: f"{name} ready, but:\n{self.log(name)}",
                READY_SECONDS,
            )

    def play(self, name):
        """Starts a workload's pod, with what it refers to."""
        file = self.folder / f"{name}.yaml"
        configuration = named(self.objects, "ConfigMap").values()
        file.write_text(yaml.safe_dump_all([*configuration, *self._secrets, self._pod(name)]))
        podman("play", "kube", "--network", self.network, "--ip", self.addresses[name], file)

    def container(self, name):
        """The id of a workload's only container."""
        component = self.template(name)["metadata"]["labels"]["app.kubernetes.io/component"]
        (only,) = podman("ps", "--all", "--quiet", "--filter", f"label=app.kubernetes.io/component={component}").split()
        return only

    def state(self, name):
        return json.loads(podman("inspect", self.container(name)))[0]["State"]

    def log(self, name):
        return podman("logs", "--tail", "5", self.container(name))

    def inside(self, name, *command):
        return podman("exec", self.container(name), *command)

    def template(self, name):
        return self.workloads[name]["spec"]["template"]

    def probe(self, name, which):
        """Whether a probe is answered with success, asked at the path and port that the manifest names."""
        (container,) = self.template(name)["spec"]["containers"]
        get = container[which]["httpGet"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        try:
            answer = requests.get(f"http://{self.addresses[name]}:{ports[get['port']]}{get['path']}", timeout=3)
        except requests.RequestException:
            return False
        return 200 <= answer.status_code < 400

    def rest(self):
        """REST with the token of an account that is made for it, as the operations guide says."""
        printed = self.inside("hoshu-api", "hoshu", "account", "create", "Fleet")
        (token,) = [line.split()[1] for line in printed.splitlines() if line.startswith("Token ")]
        return Rest(f"http://{self.addresses['hoshu-api']}:8080", token)

    def _address(self):
        return f"{self._subnet}.{next(self._numbers)}"

    def _put_together(self):
        """A user's own overlay, by kustomize."""
        name, tag = os.environ["HOSHU_IMAGE"].split(":")
        overlay = self.folder / "overlay"
        overlay.mkdir()
        kustomization = {
            "resources": [os.path.relpath(CHECKOUT / "deploy/kubernetes/base", overlay)],
            "images": [{"name": "hoshu", "newName": f"localhost/{name}", "newTag": tag}],
        }
        (overlay / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return list(yaml.safe_load_all(run("kubectl", "kustomize", overlay)))

    def _fill_in_secrets(self):
        """The example's Secrets with values that count here."""
        script = self.folder / "deploy/compose/make-secrets"
        script.parent.mkdir(parents=True)
        shutil.copy(CHECKOUT / "deploy/compose/make-secrets", script)
        run(script, self.host)
        values = {
            "PASSWORD": self.password,
            "64 hexadecimal digits": secrets.token_hex(32),
            "postgres.example.com": self.postgres,
            "?sslmode=require": "",
            "nats.nats.svc.cluster.local": self.nats,
            "-----BEGIN CERTIFICATE-----": self.ca_file.with_name("gateway.pem").read_text(),
            "-----BEGIN PRIVATE KEY-----": self.ca_file.with_name("gateway.key").read_text(),
        }

        def filled_in(text):
            for placeholder, value in values.items():
                text = text.replace(placeholder, value)
            return text

        example = (CHECKOUT / "deploy/kubernetes/overlays/example/secrets.yaml").read_text()
        return [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": one["metadata"]["name"]},
                "data": {key: filled_in(value) for key, value in one["stringData"].items()},
            }
            for one in yaml.safe_load_all(example)
        ]

    def _pod(self, name):
        """What podman is given of a workload."""
        workload = json.loads(json.dumps(self.workloads[name]))
        template = workload["spec"]["template"]
        spec = template["spec"]
        services = named(self.objects, "Service")
        spec["hostAliases"] = [{"ip": self.addresses[service], "hostnames": [service]} for service in services]
        (container,) = spec["containers"]
        for part in ("ports", "livenessProbe", "readinessProbe"):
            container.pop(part, None)
        for variable in container["env"]:
            if "valueFrom" in variable:
                variable["valueFrom"] = {"configMapKeyRef": variable["valueFrom"]["secretKeyRef"]}
        for volume in spec.get("volumes", []):
            if "secret" in volume:
                volume["configMap"] = {"name": volume.pop("secret")["secretName"]}
        if workload["kind"] == "Job":
            return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **template["metadata"]}, "spec": spec}
        return workload

    def _make_network(self):
        """A bridge that this machine and the pods reach each other by, and nothing else."""
        addresses = {"type": "host-local", "dataDir": str(self.folder / "addresses"), "ranges": [[{"subnet": f"{self._subnet}.0/24"}]]}
        bridge = {"type": "bridge", "bridge": self.network, "isGateway": True, "ipMasq": False, "ipam": addresses}
        file = Path(os.environ["HOSHU_TEST_NETWORKS"]) / f"{self.network}.conflist"
        file.write_text(json.dumps({"cniVersion": "0.4.0", "name": self.network, "plugins": [bridge]}))

    def _load_images(self):
        archive = self.folder / "images.tar"
        run("docker", "save", "--output", archive, os.environ["HOSHU_IMAGE"], *self._store_images().values())
        podman("load", "--quiet", "--input", archive)
        archive.unlink()

    def _store_images(self):
        services = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())["services"]
        return {name: services[name]["image"] for name in ("postgres", "nats")}

    def _start_stores(self):
        images = {name: f"localhost/{image}" for name, image in self._store_images().items()}
        start = ["run", "--detach", "--network", self.network]
        settings = CHECKOUT / "deploy/postgres/hoshu.conf"
        postgres = podman(
            *start, "--ip", self.postgres, "--shm-size", "256m", "--volume", f"{settings}:/etc/postgresql/hoshu.conf:ro",
            "--env", "POSTGRES_DB=hoshu", "--env", f"POSTGRES_PASSWORD={self.password}",
            images["postgres"], "postgres", "-c", "config_file=/etc/postgresql/hoshu.conf",
        ).strip()  # fmt: skip
        settings = CHECKOUT / "deploy/nats/hoshu.conf"
        podman(
            *start, "--ip", self.nats, "--volume", f"{settings}:/etc/nats/hoshu.conf:ro", "--tmpfs", "/data",
            "--env", f"HOSHU_NATS_PASSWORD={self.password}",
            images["nats"], "nats-server", "--config", "/etc/nats/hoshu.conf",
        )  # fmt: skip
        ask = "until pg_isready --quiet --host=127.0.0.1 --username=postgres --dbname=hoshu; do sleep 0.2; done"
        podman("exec", postgres, "sh", "-c", ask)
