"""A property set from REST to the device's answer and back, beside a broker's bare round trip."""

from bench.bench import door_of, door_of_broker
from bench.figures import Figure, Section

TITLE = "Commands"
TIMES = 2_000
GOAL_MILLISECONDS = 5


def measure(bench):
    times = bench.count(TIMES)
    with bench.house() as house, bench.mosquitto() as broker:
        set_run = bench.load(door_of(house), "set", times=times)
        echo_run = bench.load(door_of_broker(broker), "echo", times=times)
    sets, calls, trips = set_run["setMilliseconds"], set_run["emptyCallMilliseconds"], echo_run["roundTripMilliseconds"]
    added = sets["p99"] - trips["p99"]
    rows = "\n".join(
        f"| {what} | {took['p50']:.2f} | {took['p95']:.2f} | {took['p99']:.2f} | {took['most']:.2f} |"
        for what, took in {
            "`POST …/properties` to the device's answer": sets,
            "an empty REST call, `GET /account`": calls,
            "MQTT through Mosquitto, there and back": trips,
        }.items()
    )
    return Section(
        f"""One at a time, {times:,} times: a program sets a property over a kept-alive HTTP connection; the device, connected to the same `hoshu up`, answers
at once; the answer comes back as the request's own. Beside it the bare round trip: one client of Mosquitto publishes with QoS 1, another answers. All
clients are one thread of the same program.

| ms | p50 | p95 | p99 | most |
| --- | --- | --- | --- | --- |
{rows}

Added to the bare round trip: {sets["p50"] - trips["p50"]:.2f} ms at p50, {added:.2f} ms at p99.
""",
        [Figure("command: p99 beyond the bare MQTT round trip", added, "ms", GOAL_MILLISECONDS, more_is_better=False)],
    )
