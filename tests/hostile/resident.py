"""What a process holds in memory, as the kernel counts it."""

import re
from pathlib import Path


class Resident:
    """The resident bytes of a process."""

    def __init__(self, pid):
        self._process = Path("/proc", str(pid))

    def now(self):
        return self._of("VmRSS")

    def forget_peak(self):
        (self._process / "clear_refs").write_text("5")

    def peak(self):
        return self._of("VmHWM")

    def _of(self, name):
        status = (self._process / "status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) << 10
