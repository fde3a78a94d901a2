"""A small file system of a test's own, which it can fill."""

import subprocess
import tempfile
from pathlib import Path

import pytest


class SmallDisk:
    """Skips the test where nobody may mount one."""

    def __init__(self, mebibytes):
        # Where any user may go: PostgreSQL is not root.
        self.folder = Path(tempfile.mkdtemp(prefix="hoshu-disk."))
        self.folder.chmod(0o755)
        self._ballast = self.folder / "ballast"
        mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0755", "tmpfs", self.folder]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.folder.rmdir()
            pytest.skip(f"a full disk is not tried: no small one can be mounted here: {done.stderr.strip()}")

    def fill(self):
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        ballast.write(bytes(size))
                except OSError:
                    pass  # no space left for that much

    def free(self):
        self._ballast.unlink()

    def remove(self):
        subprocess.run(["umount", "--lazy", self.folder], check=True)
        self.folder.rmdir()
