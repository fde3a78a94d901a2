"""Drives node_sdk.js: one Node process per device."""

import json
import os
import queue
import shutil
import subprocess
import threading
from pathlib import Path

from hoshu.wait import PATIENCE_SECONDS

DRIVER = Path(__file__).with_name("node_sdk.js")


class NodeSdk:
    def __init__(self, platform, device, tls, services=()):
        self.device = device
        self._told = {}
        address = f"mqtts://localhost:{platform.mqtts_port}" if tls else f"mqtt://127.0.0.1:{platform.mqtt_port}"
        self._config = {
            "productKey": device.product_key,
            "deviceName": device.device_name,
            "deviceSecret": device.device_secret,
            "brokerUrl": address,
        }
        self._services = list(services)
        environment = dict(os.environ)
        if tls:
            environment["NODE_EXTRA_CA_CERTS"] = str(platform.ca_file)
        self._process = subprocess.Popen(
            [shutil.which("node"), DRIVER],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            # The SDK prints lines of its own.
            if line.startswith('{"what":'):
                told = json.loads(line)
                self._queue(told.pop("what")).put(told)

    def _queue(self, what):
        return self._told.setdefault(what, queue.Queue())

    def do(self, command, **rest):
        self._process.stdin.write(json.dumps({"command": command, **rest}) + "\n")

    def told(self, what, within=PATIENCE_SECONDS):
        try:
            return self._queue(what).get(timeout=within)
        except queue.Empty:
            raise AssertionError(f"the SDK told no {what} within {within} s") from None

    def connect(self):
        self.do("connect", config=self._config, services=self._services)
        self.told("connect")
        return self

    def post(self, values):
        self.do("post", values=values)
        return self.told("postReply")["reply"]

    def raise_event(self, identifier, outputs):
        self.do("event", identifier=identifier, outputs=outputs)
        return self.told("eventReply")["reply"]

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
