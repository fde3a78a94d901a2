"""docs/benchmarks.md: put together from what each measurement answers with."""

import os

from bench import figures
from bench.machine import CHECKOUT, commit, machine, versions

FILE = CHECKOUT / "docs/benchmarks.md"
HEADING = "## "

OPENING = """# Benchmarks

Written by `make bench` (`tests/load/run`, which also measures one subject alone); run it to have your own. Absolute figures belong to the machine
below: platform, database, message bus and load share its processors. Take the ratios, which were measured side by side in one run.
A figure is told as worse or better when it differs by more than 15 % from the one before it; on another machine that says something of ratios alone.
"""

CLOSING = """## What this does not say

One machine, loopback, no packet loss: no word about several nodes, about a disk that is slow to sync, or about other platforms."""


def heading_of(measurement):
    return f"{HEADING}{measurement.TITLE}"


def section(measurement, build, load_before, text):
    return f"""{heading_of(measurement)}

hoshu at {commit()}, {build}; load average {load_before:.1f} before it began.

{text.strip()}
"""


def assemble(kept, measurements, sections):
    """The page: sections measured now, and as they stand those that were not."""
    standing = _split(FILE.read_text()) if FILE.exists() else {}
    parts = [
        OPENING,
        f"{HEADING}Goals\n\n{figures.table(kept, measurements)}\n",
        f"{HEADING}Machine and versions\n\n- {machine()}\n- {versions()}\n",
    ]
    for name, measurement in measurements.items():
        parts.append(sections.get(name) or standing.get(heading_of(measurement)))
    return "\n".join([*filter(None, parts), CLOSING, ""])


def write(text):
    FILE.write_text(text)
    print(f"written: {os.path.relpath(FILE)}, {os.path.relpath(figures.FILE)}")


def _split(text):
    """Sections by their headings."""
    found, heading = {}, None
    for line in text.splitlines(keepends=True):
        if line.startswith(HEADING):
            heading = line.strip()
        if heading:
            found[heading] = found.get(heading, "") + line
    return {heading: section.strip() + "\n" for heading, section in found.items()}
