"""A process that a test starts and does harm to, its output in a file."""

import os
import signal
import subprocess
from pathlib import Path

from hoshu.wait import until

BINARY = Path(os.environ.get("HOSHU_BINARY", Path(__file__).parents[2] / "target/debug/hoshu"))
# An older release, to be changed for this one.
PREVIOUS_BINARY = Path(os.environ.get("HOSHU_PREVIOUS_BINARY", BINARY))


def environment(extra):
    """This process's environment, without anything that would set up Hoshu by chance."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOSHU_")}
    for name in ("HOSHU_POSTGRES_BIN", "HOSHU_NATS_BIN"):
        if name in os.environ:
            kept[name] = os.environ[name]
    return {**kept, "RUST_BACKTRACE": "1", **extra}


def children_of(pid):
    """Every process below this one, as the kernel tells."""
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *children_of(child)]
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has ended meanwhile
    return found


class Process:
    """`hoshu` with these arguments, or another program."""

    def __init__(self, arguments, settings, log_file, program=(BINARY,), folder=None):
        self.program = program
        self.arguments = arguments
        self.settings = settings
        self.log_file = Path(log_file)
        self.folder = folder or self.log_file.parent
        self._child = None
        self._log_begins = 0

    def start(self):
        log = self.log_file.open("ab")
        self._log_begins = log.tell()
        self._child = subprocess.Popen(
            [*self.program, *self.arguments],
            env=environment(self.settings),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        return self

    @property
    def has_started(self):
        return self._child is not None

    @property
    def pid(self):
        return self._child.pid

    @property
    def has_started(self):
        return self._child is not None

    @property
    def has_ended(self):
        """Whether it does not run; one that was never started does not either."""
        return self._child is None or self._child.poll() is not None

    def log(self):
        """What it wrote since it was last started."""
        return self.log_file.read_bytes()[self._log_begins :].decode(errors="replace")

    def wait_for_line(self, beginning, within):
        """Waits until a line of the output begins so."""
        self.wait_for(lambda log: any(line.startswith(beginning) for line in log.splitlines()), beginning, within)

    def wait_for(self, is_written, what, within):
        """Waits until the output is as wanted; a process that has ended is not waited for."""

        def written():
            if is_written(self.log()):
                return True
            assert not self.has_ended, f"{self} ended:\n{self.log()[-4000:]}"
            return False

        until(written, lambda: f"{what!r} of {self}, but:\n{self.log()[-4000:]}", within)

    def wait(self, within):
        """Waits for its end; answers with its exit status."""
        return self._child.wait(within)

    def terminate(self, within=20):
        """Ends it as Ctrl-C or an orchestrator does; answers with its exit status."""
        if not self.has_ended:
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self} did not end within {within} s of SIGTERM") from None

    def kill(self):
        """Ends it as a crash does."""
        if not self.has_ended:
            self._child.kill()
        self._child.wait()

    def kill_family(self):
        """Ends it and all that it has started."""
        self._signal_family(signal.SIGKILL)
        self._child.wait()

    def freeze(self):
        """Takes its turn away, and its children's: its connections stand, and nobody answers on them."""
        self._signal_family(signal.SIGSTOP)

    def thaw(self):
        self._signal_family(signal.SIGCONT)

    def _signal_family(self, number):
        for pid in [self.pid, *children_of(self.pid)]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # ended with its parent

    def __str__(self):
        return " ".join(map(str, [*self.program, *self.arguments]))


def run(arguments, settings, within=60):
    """Runs a command to its end and answers with what it printed."""
    done = _run(arguments, settings, within)
    assert done.returncode == 0, f"hoshu {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def refused(arguments, settings, within=60):
    """Runs a command that must fail, and answers with what it said of it."""
    done = _run(arguments, settings, within)
    assert done.returncode != 0, f"hoshu {arguments}: {done.stdout}{done.stderr}"
    return done.stderr


def _run(arguments, settings, within):
    return subprocess.run(
        [BINARY, *arguments],
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


def create_account(name, settings):
    """Makes an account and answers with its first ADMIN token."""
    printed = run(["account", "create", name], settings)
    (token,) = [line.split()[1] for line in printed.splitlines() if line.startswith("Token ")]
    return token
