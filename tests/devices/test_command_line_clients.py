"""Mosquitto's and Eclipse Paho's own command-line clients, in MQTT 3.1.1 and 5."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from hoshu.credentials import credentials
from hoshu.logs import TO_DEVICE, sent
from hoshu.wait import PATIENCE_SECONDS, until

VERSIONS = {"mosquitto": {"3.1.1": "mqttv311", "5": "mqttv5"}, "paho_c": {"3.1.1": "311", "5": "5"}}


class Client:
    """Makes the command lines of one of them, for one device."""

    def __init__(self, name, version, platform, device, tls=False):
        self.name, self.version, self.platform, self.device, self.tls = name, version, platform, device, tls

    def _command(self, kind, topic):
        shown = credentials(self.device, securemode=2 if self.tls else 3)
        port = self.platform.mqtts_port if self.tls else self.platform.mqtt_port
        host = "localhost" if self.tls else "127.0.0.1"
        if self.name == "mosquitto":
            command = ["-h", host, "-p", str(port), "-V", VERSIONS["mosquitto"][self.version]]
            command += ["-i", shown.client_id, "-u", shown.username, "-P", shown.password, "-q", "1"]
            if self.tls:
                command += ["--cafile", str(self.platform.ca_file)]
        else:
            scheme = "ssl" if self.tls else "tcp"
            command = ["-c", f"{scheme}://{host}:{port}", "-V", VERSIONS["paho_c"][self.version]]
            command += ["-i", shown.client_id, "-u", shown.username, "-P", shown.password, "-q", "1", "-k", "60"]
            if self.tls:
                command += ["--cafile", str(self.platform.ca_file)]
        return [f"{self.name}_{kind}", *command, "-t", topic]

    def publish(self, topic, payload):
        command = self._command("pub", topic) + ["-m", json.dumps(payload)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def refusal(self, topic):
        """What it says when it is not let in."""
        command = self._command("pub", topic) + ["-m", "x"]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            # The Paho client says it and stays.
            return next(line for line in child.stderr if line.startswith(("Connect failed", "Connection error")))
        finally:
            child.terminate()
            child.wait(PATIENCE_SECONDS)
            child.stderr.close()

    def receive_one(self, topic):
        """Subscribes, and answers with the first message's payload."""
        command = self._command("sub", topic)
        if self.name == "mosquitto":
            command += ["-C", "1"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            # The Paho client has no option to end after one; it prints others' news too.
            for line in child.stdout:
                if line.startswith("{"):
                    return json.loads(line)
            raise AssertionError(f"{command[0]} ended with {child.wait()}")
        finally:
            child.terminate()
            child.wait(PATIENCE_SECONDS)
            child.stdout.close()


@pytest.fixture(params=["mosquitto", "paho_c"])
def name(request):
    return request.param


@pytest.fixture(params=["3.1.1", "5"])
def version(request):
    return request.param


@pytest.fixture(params=["TCP", "TLS"])
def client(name, version, request, platform, boiler):
    return Client(name, version, platform, boiler, tls=request.param == "TLS")


def test_it_posts_and_the_post_is_found_in_the_log(client, boiler, logs):
    client.publish(boiler.topic("thing/event/property/post"), {"id": "7", "params": {"pressure": 6.2}})
    until(lambda: boiler.properties() == {"pressure": 6.2}, "the value")
    line = logs.tsl_line(boiler, "7")
    # It may be gone when its reply comes, which its line then says.
    until(lambda: len(logs.of(line["messageId"])) == 3, lambda: f"three lines, but {logs.of(line['messageId'])}")
    shapes = {(line["type"], line["content"].split(":")[0].split(",")[0]) for line in logs.of(line["messageId"])}
    assert shapes == {
        ("UPSTREAM", "Device publish message to topic"),
        ("TSL", "Data Reported by Devices"),
        ("DOWNSTREAM", "Publish message to device"),
    }
    gone = logs.offline_reason(boiler)
    assert gone["reason"] == "Device disconnect"


def test_it_receives_a_set(client, boiler, rest, logs):
    with ThreadPoolExecutor(1) as beside:
        received = beside.submit(client.receive_one, boiler.topic("thing/service/property/set"))
        until(lambda: boiler.status == "ONLINE" or received.done(), "the device online")
        answer = rest.post(f"{boiler.path}/properties", {"params": {"setpoint": 7.5}, "waitSeconds": 0})
        message = received.result(PATIENCE_SECONDS)
    assert message["params"] == {"setpoint": 7.5}
    assert message["method"] == "thing.service.property.set"
    logs.expect(answer["messageId"], TO_DEVICE, sent())


def test_a_wrong_signature_is_not_let_in(name, version, platform, boiler):
    impostor = replace(boiler, device_secret="0" * 32)
    said = Client(name, version, platform, impostor).refusal(boiler.user_topic("update"))
    if name == "mosquitto":
        assert "not authori" in said.lower(), said
    assert boiler.status == "INACTIVE"
