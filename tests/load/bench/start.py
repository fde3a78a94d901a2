"""How long `hoshu up` takes until it is ready."""

import os
import signal
import time
from pathlib import Path
from statistics import median

from bench.bench import RAISED
from bench.figures import Figure, Section
from hoshu.wait import until

TITLE = "Start"
TIMES = 3


def measure(bench):
    from hoshu.platform import Platform

    first, later, after_kill = [], [], []
    for _ in range(1 if bench.quick else TIMES):
        with bench.folder() as folder:
            house = Platform(folder, **RAISED)
            first.append(seconds_to_ready(house))
            assert house.stop() == 0, house.process.log()[-2000:]
            later.append(seconds_to_ready(house))
            kill_all(house)
            after_kill.append(seconds_to_ready(house))
            house.stop()
    took = {
        "first, in a new folder": (first, 4),
        "later, after a clean end": (later, 2),
        "after SIGKILL of hoshu, PostgreSQL and NATS": (after_kill, 6),
    }
    rows = "\n".join(
        f"| {what} | {median(seconds):.2f} | {', '.join(f'{one:.2f}' for one in seconds)} |" for what, (seconds, _) in took.items()
    )
    return Section(
        f"""`hoshu up` from its start as a process until it prints `hoshu is ready`, with PostgreSQL and NATS of its own; the median of {len(first)}.

| start | s | each |
| --- | --- | --- |
{rows}
""",
        [Figure(f"start, {what}", median(seconds), "s", goal, more_is_better=False) for what, (seconds, goal) in took.items()],
    )


def seconds_to_ready(house):
    begun = time.monotonic()
    house.process.start()
    until(lambda: is_ready(house), lambda: f"ready, but:\n{house.process.log()[-2000:]}", within=120, every=0.005)
    return time.monotonic() - begun


def is_ready(house):
    assert not house.process.has_ended, house.process.log()[-2000:]
    return "\nhoshu is ready" in house.process.log()


def kill_all(house):
    """Stopped first, or it would start its servers again."""
    servers = children(house.process.pid)
    assert len(servers) == 2, servers
    os.kill(house.process.pid, signal.SIGSTOP)
    for pid in servers:
        os.kill(pid, signal.SIGKILL)
    house.process.kill()
    until(lambda: not any(map(runs, servers)), "the servers' end")


def children(pid):
    return [int(one.name) for one in Path("/proc").glob("[0-9]*") if (fields := fields_of(one)) and int(fields[1]) == pid]


def runs(pid):
    fields = fields_of(Path("/proc") / str(pid))
    return bool(fields) and fields[0] != "Z"


def fields_of(process):
    """State, parent and so on; nothing of one that is gone."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
