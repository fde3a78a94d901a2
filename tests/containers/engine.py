"""The container engine, by its command line: DOCKER_HOST says which."""

import json
import subprocess


def run(*command, within=180, **options):
    """Runs a command to its end and answers with what it printed."""
    done = subprocess.run(
        list(map(str, command)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
        **options,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}"
    return done.stdout


def docker(*arguments, **options):
    return run("docker", *arguments, **options)


def inspect(*containers):
    return json.loads(docker("inspect", *containers)) if containers else []


def kill_from_the_machine(container, image):
    """Kills a container's process as the kernel does. The engine's own way would count as our wish, and it would
    not start the container again; from inside, a namespace's first process cannot be killed."""
    pid = container["State"]["Pid"]
    kill = ["--entrypoint", "sh", image, "-c", f"kill -9 {pid}"]
    docker("run", "--rm", "--pid", "host", "--user", "0:0", "--network", "none", *kill)
