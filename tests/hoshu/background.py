"""Something asked while the test plays the device that must answer it."""

from concurrent.futures import Future
from threading import Thread


def in_background(ask, *arguments, **options):
    """Runs `ask` beside the test; its `.result(seconds)` is the answer, or the failure."""
    future = Future()

    def run():
        try:
            future.set_result(ask(*arguments, **options))
        except BaseException as error:  # told to who asks for the result
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future
