"""The devices' door alone, beside Mosquitto: publishes, connections, memory."""

from contextlib import ExitStack
from statistics import mean

from bench.bench import RAISED, Door, door_of_broker, start
from bench.figures import Figure, Section, told
from bench.metrics import Counters
from hoshu.wait import until

TITLE = "Gateway"
DEVICES = 1_000
PAYLOAD_BYTES = 200
# Halves of a window of QoS 0 end with a PINGREQ: fewer of them weigh less.
WINDOWS = {1: 20, 0: 100}
WARM_UP_SECONDS, SECONDS, TURNS = 2, 8, 2
CONNECTING = 5_000
AT_ONCE = (50, 256)
IDLE, IDLE_BEFORE = 15_000, 1_000
# What nobody takes from the stream has room on it.
STREAM_BYTES = 6 << 30


def measure(bench):
    publishing = publishes(bench)
    connecting = connects(bench)
    idling = {
        "Hoshu": idle(bench, gateway_door),
        "Hoshu, TLS": idle(bench, lambda house: gateway_door(house, tls=True)),
        "Mosquitto": idle(bench, None),
    }
    ratios = {qos: mean(publishing["Hoshu", qos]["turns"]) / mean(publishing["Mosquitto", qos]["turns"]) for qos in WINDOWS}
    figures = [
        Figure("gateway, QoS 1: PUBACKs/s beside Mosquitto's", ratios[1], "×", 4),
        Figure("gateway, QoS 0: messages/s beside Mosquitto's", ratios[0], "×", 1),
        *(
            Figure(f"gateway, {at_once} handshakes at once: connections", run["connectsPerSecond"], "/s")
            for (who, at_once), run in connecting.items()
            if who == "Hoshu"
        ),
        Figure("gateway, idle connection, plain", idling["Hoshu"]["bytesPerConnection"], "bytes", 3_000, more_is_better=False),
        Figure("gateway, idle connection, TLS", idling["Hoshu, TLS"]["bytesPerConnection"], "bytes", more_is_better=False),
    ]
    publish_rows = "\n".join(publish_row(who, qos, run) for (who, qos), run in publishing.items())
    connect_rows = "\n".join(connect_row(who, at_once, run) for (who, at_once), run in connecting.items())
    idle_rows = "\n".join(idle_row(who, run) for who, run in idling.items())
    raised = ", ".join(f"`{name}={value}`" for name, value in RAISED.items())
    return Section(
        f"""The role `gateway` as a process of its own, beside Mosquitto (persistence off, anyone let in, `TCP_NODELAY`); the same generator, one
thread, drives both. Nothing else runs but NATS and, for logins, registry, api and PostgreSQL, which are idle meanwhile. Raised: {raised}, `HOSHU_STREAM_BYTES={STREAM_BYTES}`.

### Publishes

{bench.count(DEVICES):,} connections, payloads of {PAYLOAD_BYTES} bytes, windows of {WINDOWS[1]} (QoS 1) and {WINDOWS[0]} (QoS 0) messages; {TURNS} turns each, in turn, of {bench.seconds(SECONDS)} s after {WARM_UP_SECONDS} s of warm-up, their mean.
Hoshu's PUBACK says that the stream has the message, on NATS's disk cache; Mosquitto's that it was read, and it keeps nothing. A QoS 0 message counts when a PINGREQ behind it was answered;
afterwards every one of Hoshu's that was sent is counted as carried, and the stream is seen to hold at least their bytes.

| | QoS | messages/s | of each turn | µs of processor a message |
| --- | --- | --- | --- | --- |
{publish_rows}

### Connections

{bench.count(CONNECTING):,} devices connect, each once: TCP, CONNECT, HMAC-SHA256 checked and the session claimed in PostgreSQL (Mosquitto checks and keeps nothing), CONNACK.

| | handshakes at once | connections/s | p50 ms | p95 | p99 |
| --- | --- | --- | --- | --- | --- |
{connect_rows}

### Idle connections

{bench.count(IDLE):,} devices connect after {bench.count(IDLE_BEFORE):,} others to a process that has done nothing else, and say nothing; resident memory, read when it stays the same.

| | MiB before | after | bytes a connection | connections/s meanwhile |
| --- | --- | --- | --- | --- |
{idle_rows}
""",
        figures,
    )


def gateway_door(house, tls=False, pids=()):
    token_file = house.folder / "token"
    if not token_file.exists():
        token_file.write_text(house.rest().token)
    return Door(
        house.mqtts_port if tls else house.mqtt_port,
        (house.roles["gateway"].process.pid, *pids),
        f"http://127.0.0.1:{house.api_port}",
        token_file,
        house.ca_file if tls else None,
    )


def publishes(bench):
    """Turn by turn, so that the machine's own unrest meets both; each QoS with an empty stream."""
    runs = {}
    for qos, window in WINDOWS.items():
        with (
            bench.servers() as (postgres, nats),
            bench.roles(postgres, nats, HOSHU_STREAM_BYTES=str(STREAM_BYTES)) as house,
            bench.mosquitto() as broker,
        ):
            start(house, "registry", "api", "gateway")
            doors = {"Hoshu": gateway_door(house, pids=[nats.pid]), "Mosquitto": door_of_broker(broker)}
            sent = 0
            for _ in range(TURNS):
                for who, door in doors.items():
                    run = bench.load(
                        door, "flood", devices=bench.count(DEVICES), qos=qos, window=window, payload=PAYLOAD_BYTES,
                        warm_up=WARM_UP_SECONDS, seconds=bench.seconds(SECONDS),
                    )
                    runs.setdefault((who, qos), {"turns": []}).update(run)
                    runs[who, qos]["turns"].append(run["messagesPerSecond"])
                    sent += run["sent"] if who == "Hoshu" else 0
            see_carried(house, nats, sent)
    return runs


def see_carried(house, nats, sent):
    """A message that the generator counts, and nobody has, would make every figure a lie."""
    ops_port = house.roles["gateway"].ops_port
    (carried,) = Counters(ops_port).look(("hoshu_gateway_publishes_total", 'capability="thing"'))
    assert carried == sent, f"{carried:,.0f} of {sent:,} messages were carried"
    until(
        lambda: nats.stream("UP")["bytes"] >= sent * PAYLOAD_BYTES,
        lambda: f"{nats.stream('UP')['bytes']:,} bytes on the stream hold {sent:,} messages of {PAYLOAD_BYTES} bytes",
    )


def connects(bench):
    runs = {}
    with ExitStack() as stack:
        postgres, nats = stack.enter_context(bench.servers())
        house = stack.enter_context(bench.roles(postgres, nats))
        broker = stack.enter_context(bench.mosquitto())
        start(house, "registry", "api", "gateway")
        for who, door in {"Hoshu": gateway_door(house), "Mosquitto": door_of_broker(broker)}.items():
            for at_once in AT_ONCE:
                runs[who, at_once] = bench.load(door, "connect", devices=bench.count(CONNECTING), at_once=at_once)
    return runs


def idle(bench, door):
    """Of a new process; `door` makes it of the house, none: Mosquitto."""
    sizes = {"devices": bench.count(IDLE), "before": bench.count(IDLE_BEFORE)}
    if door is None:
        with bench.mosquitto() as broker:
            return bench.load(door_of_broker(broker), "idle", **sizes)
    with bench.servers() as (postgres, nats), bench.roles(postgres, nats) as house:
        start(house, "registry", "api", "gateway")
        return bench.load(door(house), "idle", **sizes)


def publish_row(who, qos, run):
    turns = ", ".join(f"{one:,.0f}" for one in run["turns"])
    costs = ", ".join(f"{name} {told(cost['microsecondsPerMessage'])}" for name, cost in run["processors"].items())
    return f"| {who} | {qos} | {mean(run['turns']):,.0f} | {turns} | {costs} |"


def connect_row(who, at_once, run):
    took = run["connectMilliseconds"]
    return f"| {who} | {at_once} | {run['connectsPerSecond']:,.0f} | {took['p50']:.1f} | {took['p95']:.1f} | {took['p99']:.1f} |"


def idle_row(who, run):
    before, after = run["residentBytesBefore"] / 2**20, run["residentBytesAfter"] / 2**20
    return f"| {who} | {before:.1f} | {after:.1f} | {run['bytesPerConnection']:,.0f} | {run['connectsPerSecond']:,.0f} |"
