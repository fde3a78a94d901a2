"""`hoshu up` as a user runs it, on addresses and in a data folder of its own."""

from pathlib import Path

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
