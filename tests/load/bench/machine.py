"""Where the figures come from: this machine, this checkout, and the versions of what runs."""

import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]


def program(name):
    """Where a server's program is; Debian keeps some of them off the PATH."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/bin")
    if not found:
        found = next(map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None)
    return found


def first_line(name, *arguments):
    """What a program says of itself; nothing when it is not there."""
    found = program(name)
    if not found:
        return f"{name}: version unknown"
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0]


def commit():
    return first_line("git", "-C", str(CHECKOUT), "describe", "--always", "--dirty")


@cache
def machine():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    processors = f"{os.cpu_count()} × {names[0] if names else platform.machine()}"
    return f"{processors}, {memory:.0f} GiB of memory, {platform.system()} {platform.release()}, {writing()}"


def writing():
    """When the system begins to write what is in its cache: it decides how long commits wait for the disk."""
    mib = int(Path("/proc/sys/vm/dirty_background_bytes").read_text()) >> 20
    if mib:
        return f"`vm.dirty_background_bytes` of {mib} MiB, as the operations guide advises"
    percent = Path("/proc/sys/vm/dirty_background_ratio").read_text().strip()
    return f"`vm.dirty_background_ratio` of {percent} %, not what the operations guide advises"


def versions():
    return "; ".join(
        [
            first_line("rustc", "--version"),
            first_line("postgres", "--version"),
            first_line("nats-server", "--version"),
            first_line("mosquitto", "-h"),
        ]
    )
