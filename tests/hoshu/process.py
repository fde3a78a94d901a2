"""One `hoshu …` process, its output in a file."""

import os
import signal
import subprocess
from pathlib import Path

from hoshu.wait import until

BINARY = Path(os.environ.get("HOSHU_BINARY", Path(__file__).parents[2] / "target/debug/hoshu"))


def environment(extra):
    """This process's environment, without anything that would set up Hoshu by chance."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOSHU_")}
    for name in ("HOSHU_POSTGRES_BIN", "HOSHU_NATS_BIN"):
        if name in os.environ:
            kept[name] = os.environ[name]
    return {**kept, "RUST_BACKTRACE": "1", **extra}


class Process:
    def __init__(self, arguments, settings, log_file):
        self.arguments = arguments
        self.settings = settings
        self.log_file = Path(log_file)
        self._child = None
        self._log_begins = 0

    def start(self):
        log = self.log_file.open("ab")
        self._log_begins = log.tell()
        self._child = subprocess.Popen(
            [BINARY, *self.arguments],
            env=environment(self.settings),
            cwd=self.log_file.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        return self

    @property
    def pid(self):
        return self._child.pid

    @property
    def has_started(self):
        return self._child is not None

    @property
    def has_ended(self):
        return self._child.poll() is not None

    def log(self):
        """What it wrote since it was last started."""
        return self.log_file.read_bytes()[self._log_begins :].decode(errors="replace")

    def wait_for_line(self, beginning, within):
        """Waits until a line of the output begins so; a process that has ended is not waited for."""

        def written():
            if any(line.startswith(beginning) for line in self.log().splitlines()):
                return True
            assert not self.has_ended, f"hoshu {self.arguments} ended:\n{self.log()[-4000:]}"
            return False

        until(written, lambda: f"a line {beginning!r}, but:\n{self.log()[-4000:]}", within)

    def terminate(self, within=20):
        """Ends it as Ctrl-C or an orchestrator does; answers with its exit status."""
        if not self.has_ended:
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"hoshu {self.arguments} did not end within {within} s of SIGTERM") from None

    def kill(self):
        """Ends it as a crash does."""
        if not self.has_ended:
            self._child.kill()
        self._child.wait()


def run(arguments, settings, within=60):
    """Runs a command to its end and answers with what it printed."""
    done = subprocess.run(
        [BINARY, *arguments],
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    assert done.returncode == 0, f"hoshu {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def create_account(name, settings):
    """Makes an account and answers with its first ADMIN token."""
    printed = run(["account", "create", name], settings)
    (token,) = [line.split()[1] for line in printed.splitlines() if line.startswith("Token ")]
    return token
