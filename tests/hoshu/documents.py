"""The documentation as the tests read it: what a reader copies, and what a table promises."""

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```(?P<kind>[a-z]+)(?P<install> install)?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """Commands, what they shall print (None: not said), and whether they install."""

    commands: str
    printed: str | None
    installs: bool


def page(name):
    return (DOCS / name).read_text()


def blocks(text):
    """Every ```bash block, with the ```text block behind it."""
    found = []
    for match in BLOCK.finditer(text):
        if match["kind"] == "bash":
            found.append(Block(match["text"], None, bool(match["install"])))
        elif match["kind"] == "text" and found and found[-1].printed is None:
            found[-1] = found[-1]._replace(printed=match["text"])
    return found


def section(text, heading):
    """What stands under a heading as `## Backup`, up to the next one that is as high or higher."""
    level = len(heading.split()[0])
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"no heading {heading!r}"
    # A single # begins a comment in a block of commands; a page has one heading of that kind, its title.
    return re.split(rf"^#{{2,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text):
    """The rows of all tables, each a list of its cells; without heads."""
    found = []
    for line in text.splitlines():
        if line.startswith("| ---"):
            found.pop()  # what stood above was the head
        elif line.startswith("|"):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found
