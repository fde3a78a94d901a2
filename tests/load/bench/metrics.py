"""A role's counters, as /metrics tells them."""

import re

import requests

LINE = re.compile(r"(?P<name>\w+)(?:{(?P<labels>.*)})? (?P<value>\S+)")


def counter(ops_port, name, labels=""):
    """The sum over all lines of this name that have these labels; 0 before the first event."""
    text = requests.get(f"http://127.0.0.1:{ops_port}/metrics", timeout=5).text
    found = filter(None, map(LINE.fullmatch, text.splitlines()))
    return sum(float(one["value"]) for one in found if one["name"] == name and labels in (one["labels"] or ""))
