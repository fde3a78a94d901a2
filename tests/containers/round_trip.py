"""What a device with Alibaba's SDK and its user do together, whatever the platform runs in."""

import json

from devices.python_sdk import PythonSdk
from hoshu.logs import REPORT_UP, TO_DEVICE, Logs, reported, sent
from hoshu.model import REPORT
from hoshu.things import make_boiler
from hoshu.wait import PATIENCE_SECONDS, until


class RoundTrip:
    """A new boiler reports by TLS, is set, and both are found in the log."""

    def __init__(self, platform, rest, folder, host="localhost"):
        self.product = make_boiler(rest)
        self.device = self.product.device()
        self.logs = Logs(self.product)
        model_file = folder / "model.json"
        model_file.write_text(json.dumps(rest.get(f"{self.product.path}/tsl")))
        sdk = PythonSdk(platform, self.device, True, model_file, host).connect()
        try:
            self._report(sdk)
            self._set(sdk)
        finally:
            sdk.close()

    def _report(self, sdk):
        request_id, code, _, message = sdk.post(REPORT)
        assert (code, message) == (200, "success")
        until(lambda: self.device.properties() == REPORT, lambda: f"the values, but {self.device.properties()}")
        self.logs.expect_of(self.device, request_id, REPORT_UP, reported(200), TO_DEVICE)

    def _set(self, sdk):
        answer = self.device.rest.post(f"{self.device.path}/properties", {"params": {"setpoint": 7.5}})
        assert sdk.sets.get(timeout=PATIENCE_SECONDS) == {"setpoint": 7.5}
        assert (answer["answered"], answer["code"]) == (True, 200)
        self.logs.expect(answer["messageId"], TO_DEVICE, sent(), REPORT_UP, reported(200))
