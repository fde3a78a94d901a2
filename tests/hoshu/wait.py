"""Waiting for a state, with a limit; never for a duration."""

import time

PATIENCE_SECONDS = 30


def until(probe, what, within=PATIENCE_SECONDS, every=0.05):
    """Asks `probe` until it gives something true, and answers with that.

    `what` says in words what is waited for; a callable is asked for it when the limit is reached.
    """
    end = time.monotonic() + within
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {within} s: {what() if callable(what) else what}")
        time.sleep(every)
