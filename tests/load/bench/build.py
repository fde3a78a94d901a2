"""What is measured: binaries built here, or named by those who only try."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.machine import CHECKOUT

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", CHECKOUT / "target"))
# Named, nothing is built: the platform, and with it, or a debug build, the load.
HOSHU, LOAD = "HOSHU_BIN", "HOSHU_LOAD_BIN"


@dataclass(frozen=True)
class Build:
    hoshu: Path
    load: Path
    profile: str
    says: str
    # Whether figures of it are worth keeping.
    counts: bool

    def cargo(self, *arguments, after=(), **options):
        command = ["cargo", *arguments, "--locked", "--profile", self.profile, *(["--", *after] if after else [])]
        return subprocess.run(command, cwd=CHECKOUT, check=True, **options)


def build():
    named = os.environ.get(HOSHU)
    if named is None:
        print("Building; the first time this takes up to 20 minutes.", flush=True)
        made = Build(
            TARGET / "release/hoshu", TARGET / "release/load", "release", "profile `release` (opt-level 3, thin LTO), as in the images", True
        )
        made.cargo("build", "--package", "hoshu", "--package", "load")
        return made
    load = os.environ.get(LOAD)
    made = Build(Path(named).resolve(), Path(load or TARGET / "debug/load").resolve(), "dev", f"`{named}`", False)
    if load is None:
        made.cargo("build", "--package", "load")
    return made
