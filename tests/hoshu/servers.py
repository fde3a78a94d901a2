"""NATS and PostgreSQL of a test's own, to be killed, stopped and filled; no other test needs them."""

import os
import pwd
import shutil
import tempfile
from pathlib import Path

from hoshu.ports import free_port
from hoshu.process import Process

START_SECONDS = 60
# The kernel ends a server if the tests are killed.
BOUND = ("setpriv", "--pdeathsig", "KILL")


class Server:
    """Keeps its address and its data when it is started again."""

    # What it writes when it takes connections.
    READY: str

    def __init__(self, name, folder, program, arguments):
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        # From where every user may be who the server is.
        self.process = Process(arguments, {}, folder / f"{name}.log", program, folder="/")

    def start(self):
        self.process.start()
        self.wait_until_ready()
        return self

    def wait_until_ready(self):
        self.process.wait_for(lambda log: self.READY in log, self.READY, START_SECONDS)

    def kill(self):
        self.process.kill_family()

    def stop(self):
        """At the end of a test."""
        if self.process.has_started:
            self.process.thaw()
            self.kill()


class Nats(Server):
    READY = "Server is ready"

    def __init__(self, folder, name="nats", store=None, routes=(), route_port=None):
        """`store` is the folder of its data; with `routes` (ports) it is one server of a cluster."""
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        arguments = ["-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", store or folder / name]
        if routes:
            arguments += ["--name", name, "--cluster_name", "tests", "--cluster", f"nats://127.0.0.1:{route_port}"]
            arguments += ["--routes", ",".join(f"nats://127.0.0.1:{port}" for port in routes)]
        program = shutil.which("nats-server", path=f"{os.environ.get('HOSHU_NATS_BIN', '')}:{os.environ['PATH']}:/usr/sbin")
        assert program, "nats-server is not installed"
        super().__init__(name, folder, (*BOUND, "--", program), arguments)


def nats_cluster(folder, count=3):
    """The servers of a cluster, not started yet."""
    ports = [free_port() for _ in range(count)]
    return [Nats(folder, f"nats-{number}", routes=ports, route_port=port) for number, port in enumerate(ports, 1)]


class Postgres(Server):
    READY = "ready to accept connections"

    def __init__(self, folder, store=None):
        """`store` is the folder of its data, where any user may go."""
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self._store = Path(store or tempfile.mkdtemp(prefix="hoshu-postgres."))
        self._store.chmod(0o755)
        data = self._store / "data"
        data.mkdir()
        rights = ()
        if os.getuid() == 0:  # which PostgreSQL refuses to be
            shutil.chown(data, "postgres")
            rights = ("--reuid", "postgres", "--regid", "postgres", "--init-groups")
        programs = _postgres_programs()
        initdb = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        make = Process(initdb, {}, folder / "initdb.log", (*BOUND, *rights, "--", programs / "initdb"), folder="/")
        assert make.start().wait(START_SECONDS) == 0, make.log()
        # What is killed loses nothing that the kernel has: only a power cut needs the disk to be waited for.
        arguments = ["-D", data, "-p", str(self.port), "-c", "fsync=off", "-c", "max_connections=200"]
        arguments += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        super().__init__("postgres", folder, (*BOUND, *rights, "--", programs / "postgres"), arguments)

    def stop(self):
        super().stop()
        shutil.rmtree(self._store, ignore_errors=True)


def _postgres_programs():
    if "HOSHU_POSTGRES_BIN" in os.environ:
        return Path(os.environ["HOSHU_POSTGRES_BIN"])
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = installed[-1] if installed else shutil.which("initdb")
    assert found, "PostgreSQL is not installed"
    return Path(found).parent
