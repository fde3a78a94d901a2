"""What docker-compose.yml says of each container's rights and bounds, as the engine keeps it and as is seen from inside."""

import pytest

from hoshu.roles import NOUNS

MIB = 1 << 20

# Each container's user, memory and places where it may write.
GUARDS = {
    **{role: ("10001", 1024 * MIB, {"/tmp"}) for role in NOUNS},
    "postgres": ("999", 2048 * MIB, {"/tmp", "/var/run/postgresql", "/var/lib/postgresql/data"}),
    # Root by name alone: it has no capability.
    "nats": ("0", 1024 * MIB, {"/data"}),
}
PROCESSES = 512


@pytest.fixture(params=GUARDS)
def service(request):
    return request.param


def test_the_engine_was_told(house, service):
    _, memory, _ = GUARDS[service]
    told = house.container(service)["HostConfig"]
    assert told["ReadonlyRootfs"] is True
    assert told["CapDrop"] == ["ALL"] and not told["CapAdd"] and not told["Privileged"]
    assert "no-new-privileges:true" in told["SecurityOpt"]
    assert (told["Memory"], told["PidsLimit"]) == (memory, PROCESSES)
    assert told["RestartPolicy"]["Name"] == "unless-stopped"
    assert told["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "5"}


def test_its_process_has_no_right_of_roots(house, service):
    user, _, _ = GUARDS[service]
    status = dict(line.split(":\t", 1) for line in house.inside(service, "cat", "/proc/1/status").splitlines())
    assert status["Uid"].split() == [user] * 4
    assert status["Gid"].split() == [user] * 4
    for capabilities in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
        assert int(status[capabilities], 16) == 0, capabilities
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_it_can_write_nowhere_but_where_it_must(house, service):
    _, _, places = GUARDS[service]
    mounts = [line.split() for line in house.inside(service, "cat", "/proc/1/mounts").splitlines()]
    writable = {mount for _, mount, kind, options, *_ in mounts if "rw" in options.split(",") and kind in ("overlay", "ext4", "xfs", "btrfs", "tmpfs")}
    # A tmpfs that the engine itself mounts: devices, shared memory, what is hidden of /proc.
    engines = {mount for mount in writable if mount.startswith(("/dev", "/proc", "/sys"))}
    assert {mount.replace("/run/", "/var/run/") for mount in writable - engines if not mount.startswith("/etc/")} == places


def test_its_bounds_are_the_kernels(house, service):
    _, memory, _ = GUARDS[service]

    def bound(present, older):
        """By the present cgroups, or by the older ones."""
        return int(house.inside(service, "sh", "-c", f"cat /sys/fs/cgroup/{present} 2>/dev/null || cat /sys/fs/cgroup/{older}"))

    assert bound("memory.max", "memory/memory.limit_in_bytes") == memory
    assert bound("pids.max", "pids/pids.max") == PROCESSES
