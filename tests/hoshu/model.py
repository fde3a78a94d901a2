"""The boiler: the thing model that the tests' devices have, and a report that fits it."""

import json
from pathlib import Path

BOILER_FILE = Path(__file__).parent / "boiler.tsl.json"

REPORT = {
    "cycles": 412,
    "pressure": 6.2,
    "energy": 1834.25,
    "label": "west",
    "lastService": "1699000000000",
    "running": 1,
    "mode": 0,
    "flame": {"temp": 611.5, "lit": 1},
    "stages": [41.0, 44.5],
}


def boiler():
    """A copy that a test may change."""
    return json.loads(BOILER_FILE.read_text())
