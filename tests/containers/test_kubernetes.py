"""deploy/kubernetes, put together by kustomize and started by podman as far as that goes: see pods.py."""

import re
import socket

import pytest

from containers.pods import Pods, named
from containers.round_trip import RoundTrip
from hoshu.roles import NOUNS
from hoshu.wait import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def pods(tmp_path_factory):
    # What it starts is ended with the run's podman, by tests/containers/run.
    pods = Pods(tmp_path_factory.mktemp("pods"))
    pods.start()
    return pods


def test_every_service_leads_to_open_ports_of_its_pods(pods):
    for name, service in named(pods.objects, "Service").items():
        template = pods.template(name)
        assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items(), name
        (container,) = template["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for port in service["spec"]["ports"]:
            # The ports that the guide, the peers' addresses and the other Services name.
            assert port["port"] == ports[port["targetPort"]], (name, port)
            with socket.create_connection((pods.addresses[name], port["port"]), timeout=PATIENCE_SECONDS):
                pass


def test_every_workload_has_its_budget_and_its_autoscaler(pods):
    deployments = set(named(pods.objects, "Deployment"))
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in named(pods.objects, "HorizontalPodAutoscaler").values()}
    assert scaled == deployments
    for name, deployment in named(pods.objects, "Deployment").items():
        labels = pods.template(name)["metadata"]["labels"].items()
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels
        budget = named(pods.objects, "PodDisruptionBudget")[name]
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels


@pytest.fixture(params=NOUNS)
def name(request):
    return f"hoshu-{request.param}"


def test_its_process_has_no_right_of_roots(pods, name):
    status = dict(line.split(":\t", 1) for line in pods.inside(name, "cat", "/proc/1/status").splitlines())
    assert status["Uid"].split() == status["Gid"].split() == ["10001"] * 4
    for capabilities in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
        assert int(status[capabilities], 16) == 0, capabilities
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_it_can_write_to_tmp_alone_and_its_memory_is_bounded(pods, name):
    wrote = "touch /tmp/probe && ! touch /probe 2>/dev/null && echo to /tmp alone"
    assert pods.inside(name, "sh", "-c", wrote).strip() == "to /tmp alone"
    (container,) = pods.template(name)["spec"]["containers"]
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", container["resources"]["limits"]["memory"]).groups()
    bound = "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes"
    assert int(pods.inside(name, "sh", "-c", bound)) == int(number) << {"Mi": 20, "Gi": 30}[unit]


def test_both_probes_are_answered_where_the_manifest_asks(pods, name):
    assert pods.probe(name, "livenessProbe")
    assert pods.probe(name, "readinessProbe")


def test_a_device_is_served_over_tls(pods, tmp_path):
    RoundTrip(pods, pods.rest(), tmp_path, host=pods.host)
