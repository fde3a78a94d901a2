"""What is tested of both versions, and how each is asked for the same."""

import pytest

BOTH = pytest.mark.parametrize("level", [4, 5], ids=["3.1.1", "5"])
HOUR = b"\x11\x00\x00\x0e\x10"


def lasting(level):
    """Options of a CONNECT whose session outlives its connection."""
    return {"clean": False, "extra": HOUR if level == 5 else b""}
