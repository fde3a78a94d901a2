"""`hoshu up` as a user runs it, on addresses and in a data folder of its own."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from hoshu.ports import free_port
from hoshu.process import Process, create_account
from hoshu.rest import Rest

START_SECONDS = 120


class Platform:
    def __init__(self, folder, **settings):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / ".hoshu"
        self.mqtt_port, self.mqtts_port, self.api_port, self.grpc_port, self.ops_port = (free_port() for _ in range(5))
        self.settings = {
            "HOSHU_DATA_DIR": str(self.data),
            "HOSHU_MQTT_ADDR": f"127.0.0.1:{self.mqtt_port}",
            "HOSHU_MQTTS_ADDR": f"127.0.0.1:{self.mqtts_port}",
            "HOSHU_API_ADDR": f"127.0.0.1:{self.api_port}",
            "HOSHU_GRPC_ADDR": f"127.0.0.1:{self.grpc_port}",
            "HOSHU_OPS_ADDR": f"127.0.0.1:{self.ops_port}",
            **settings,
        }
        self.process = Process(["up"], self.settings, self.folder / "hoshu.log")

    def start(self):
        self.process.start()
        self.process.wait_for_line("hoshu is ready", START_SECONDS)
        return self

    def stop(self):
        return self.process.terminate()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def ops_url(self):
        return f"http://127.0.0.1:{self.ops_port}"

    @property
    def grpc_target(self):
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def ca_file(self):
        return self.data / "tls" / "ca.pem"

    @property
    def admin_token(self):
        return (self.data / "admin-token").read_text().strip()

    def rest(self, token=None):
        """REST with the administrator's token, or with another."""
        return Rest(self.url, token or self.admin_token)

    def create_account(self, name):
        """Answers with the new account's first ADMIN token."""
        return create_account(name, self.settings)


@contextmanager
def running(folder, session, **settings):
    """A platform for the tests of a session; what it wrote is kept if one of them failed."""
    house = Platform(folder, **settings)
    try:
        house.start()
        yield house
    finally:
        if house.process.has_ended:
            pytest.exit(f"hoshu up ended by itself:\n{house.process.log()[-8000:]}", returncode=1)
        status = house.stop()
        if session.testsfailed:
            print(f"\nthe platform's log: {house.process.log_file}")
        else:
            shutil.rmtree(house.folder)
        assert status == 0, f"hoshu up ended with {status} on SIGTERM"
