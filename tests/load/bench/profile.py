"""Where a process spends its time, by `perf`."""

import subprocess
import time

from bench.machine import program

FREQUENCY = 199
FIRST = 10


def top_ten(pid, wait_seconds, seconds, folder):
    """Markdown; says so where there is no `perf`."""
    perf = program("perf")
    if perf is None:
        return "Not measured: `perf` is not installed here."
    time.sleep(wait_seconds)
    data = folder / "perf.data"
    subprocess.run(
        [perf, "record", "-F", str(FREQUENCY), "-p", str(pid), "-o", data, "--", "sleep", str(seconds)],
        check=True, capture_output=True, timeout=seconds + 60,
    )
    report = subprocess.run(
        [perf, "report", "-i", data, "--stdio", "--no-children", "--fields", "overhead,symbol"],
        check=True, capture_output=True, text=True, timeout=300,
    )
    lines = [line.split(None, 1) for line in report.stdout.splitlines() if line.strip() and not line.startswith("#")]
    rows = "\n".join(f"| {share} | `{symbol.partition('] ')[2].strip()}`{' (kernel)' if symbol.startswith('[k]') else ''} |" for share, symbol in lines[:FIRST])
    kernel = sum(float(share.rstrip("%")) for share, symbol in lines if symbol.startswith("[k]"))
    return f"""`hoshu` at 10,000 posts/s, {FREQUENCY} samples a second for {seconds} s; the kernel has {kernel:.0f} % of its time. The ten symbols with most samples of their own:

| share | symbol |
| --- | --- |
{rows}"""
