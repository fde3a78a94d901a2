"""The numbered statements of both specifications, and which of them tests and documentation speak of."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "mqtt.md"

# How many statements each section has (Appendix B): MQTT-1.5.3-1 to MQTT-1.5.3-3, and so on.
V3 = """
    1.5.3:3 2.2.2:2 2.3.1:7 3.1.0:2 3.1.2:24 3.1.3:11 3.1.4:5 3.2.0:1 3.2.2:6 3.3.1:12 3.3.2:3 3.3.4:1 3.3.5:2 3.6.1:1
    3.8.1:1 3.8.3:4 3.8.4:6 3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.12.4:1 3.14.1:1 3.14.4:3 4.1.0:2 4.3.1:1 4.3.2:2
    4.3.3:2 4.4.0:1 4.5.0:2 4.6.0:6 4.7.1:3 4.7.2:1 4.7.3:4 4.8.0:2 6.0.0:4 7.0.0:2 7.1.1:1 7.1.2:1
"""
V5 = """
    1.5.4:3 1.5.5:1 1.5.7:1 2.1.3:1 2.2.1:6 2.2.2:1 3.1.0:2 3.1.2:30 3.1.3:12 3.1.4:6 3.2.0:2 3.2.2:22 3.3.1:13
    3.3.2:20 3.3.4:10 3.4.2:3 3.5.2:3 3.6.1:1 3.6.2:3 3.7.2:3 3.8.1:1 3.8.3:5 3.8.4:8 3.9.2:2 3.9.3:2 3.10.1:1
    3.10.3:2 3.10.4:6 3.11.2:2 3.11.3:2 3.12.4:1 3.14.0:1 3.14.1:1 3.14.2:4 3.14.4:3 3.15.1:1 3.15.2:3 4.1.0:2
    4.2.0:1 4.3.1:1 4.3.2:5 4.3.3:13 4.4.0:2 4.5.0:2 4.6.0:6 4.7.0:1 4.7.1:2 4.7.2:1 4.7.3:4 4.8.2:6 4.9.0:3
    4.12.0:7 4.12.1:2 4.13.1:1 4.13.2:1 6.0.0:4
"""
# Numbers that the specification passes over.
MISSING = {"v3": set(), "v5": {"2.2.1-1"}}


def every(version):
    sections = (pair.split(":") for pair in {"v3": V3, "v5": V5}[version].split())
    numbers = {f"{section}-{number}" for section, count in sections for number in range(1, int(count) + 1)}
    return numbers - MISSING[version]


def numbers(text):
    """`3.1.2-1 3.1.2-3..5` is four of them."""
    for section, first, last in re.findall(r"\b(\d+\.\d+\.\d+)-(\d+)(?:\.\.(\d+))?", text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{section}-{number}"


def case(what, *values, v3="", v5=""):
    """Rows of a table: one for each version that has statements on it, beginning with its level."""
    for level, version, shows in [(4, "3.1.1", v3), (5, "5", v5)]:
        if shows:
            yield pytest.param(level, *values, id=f"{version}: {what} [{shows}]")


def shown(version):
    """What the tests say that they show, by the mark `shows` or in a `case`."""
    for file in TESTS.glob("*/test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("pytest.mark.shows", "case"):
                for keyword in node.keywords:
                    if keyword.arg == version:
                        yield from numbers(ast.literal_eval(keyword.value))


def excused(version):
    """What the page says is not shown, from the rows of its tables: reason, 3.1.1, 5."""
    column = {"v3": 2, "v5": 3}[version]
    for line in PAGE.read_text().splitlines():
        cells = line.split("|")
        if len(cells) == 5:
            yield from numbers(cells[column])
