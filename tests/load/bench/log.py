"""Lines from NATS into PostgreSQL, beside one bare COPY of the same rows."""

import time
from dataclasses import dataclass
from statistics import median

from bench.bench import start
from bench.figures import Figure, Section
from bench.gateway import gateway_door
from bench.metrics import Counters
from hoshu.wait import until

TITLE = "Log"
POSTS_PER_SECOND, SECONDS = 8_000, 25
COPIES = 3
ROWS, LINES = ("hoshu_devicelog_rows_total", 'outcome="new"'), ("hoshu_devicelog_lines_total", "")
GOAL = 0.8
# A backlog is committed in seconds; to see where it begins and ends, it is looked at often. Each look costs its role
# a list of all that it counts: more often, the looks took a fifth of what they measured.
LOOK_EVERY_SECONDS = 0.05


@dataclass(frozen=True)
class Look:
    at: float
    rows: int
    lines: int


def measure(bench):
    with bench.servers() as (postgres, nats), bench.roles(postgres, nats, HOSHU_STREAM_BYTES=str(2 << 30)) as house:
        start(house, "registry", "tsl-validation", "device-log", "gateway", "api")
        house.roles["device-log"].process.kill()
        rate = POSTS_PER_SECOND // 8 if bench.quick else POSTS_PER_SECOND
        posted = bench.load(
            gateway_door(house), "post", rate=rate, window=100, warm_up=0, seconds=bench.seconds(SECONDS), without_log=True
        )
        waiting = settled(lambda: nats.stream("LOG")["messages"])
        for name in ("gateway", "api", "tsl-validation"):
            house.roles[name].process.terminate()
        database = house.database
        postgres.sql("CHECKPOINT")
        rows, lines, seconds = committed(house.roles["device-log"], nats)
        stored = int(postgres.sql("SELECT count(*) FROM devicelog.entry", database))
        copies = [copy(bench, postgres, database, stored) for _ in range(COPIES)]
    assert stored > posted["acknowledged"], f"{stored:,} rows of {posted['acknowledged']:,} posts"
    ours, bare = rows / seconds, stored / median(copies)
    lines_per_second = lines / seconds
    return Section(
        f"""{posted["acknowledged"]:,} reports were posted while the role `device-log` was away: their entries wait on the stream `LOG` in {waiting:,} batches. Everything
else is ended, `device-log` is started, and its committed rows are counted from the first to the last: {rows:,} in {seconds:.2f} s. A row holds all lines of one message by one service: {lines:,}
lines in these. The bare COPY takes the same {stored:,} rows, in binary, by `psql` over the same loopback, into a table of the same columns and indexes, in one transaction; the
median of {COPIES}. The same PostgreSQL, with its default durability; a checkpoint before each.

| | rows/s | s |
| --- | --- | --- |
| from NATS, committed in groups | {ours:,.0f} | {seconds:.2f} |
| one bare COPY | {bare:,.0f} | {", ".join(f"{one:.2f}" for one in copies)} |

`device-log` commits {lines_per_second:,.0f} lines/s; in rows, {ours / bare:.0%} of the bare COPY's pace.
""",
        [
            Figure("log: rows/s beside one bare COPY", ours / bare, "×", GOAL),
            Figure("log: committed lines", lines_per_second, "/s"),
        ],
    )


def committed(role, nats):
    """Rows, lines and seconds between the first and the last look that saw more of them."""
    role.process.start()
    role.wait_until_ready()
    seen, counters = [], Counters(role.ops_port)
    while True:
        look = Look(time.monotonic(), *map(int, counters.look(ROWS, LINES)))
        if not seen or look.rows > seen[-1].rows:
            seen.append(look)
        elif look.rows and look.at - seen[-1].at > 1 and not nats.stream("LOG")["messages"]:
            break
        assert look.at - seen[-1].at < 60, f"no more than {look} for a minute:\n{role.process.log()[-2000:]}"
        time.sleep(LOOK_EVERY_SECONDS)
    grown = [look for look in seen if look.rows]
    assert len(grown) > 1, "all rows were committed before the first look"
    first, last = grown[0], grown[-1]
    return last.rows - first.rows, last.lines - first.lines, last.at - first.at


def copy(bench, postgres, database, rows):
    """Seconds of one COPY of all rows."""
    with bench.folder() as folder:
        file = folder / "rows"
        postgres.sql(f"\\copy (SELECT * FROM devicelog.entry) TO '{file}' WITH (FORMAT binary)", database)
        postgres.sql("CREATE TABLE copied (LIKE devicelog.entry INCLUDING ALL)", database)
        postgres.sql("CHECKPOINT")
        begun = time.monotonic()
        postgres.sql(f"\\copy copied FROM '{file}' WITH (FORMAT binary)", database)
        seconds = time.monotonic() - begun
        assert int(postgres.sql("SELECT count(*) FROM copied", database)) == rows
        postgres.sql("DROP TABLE copied", database)
        return seconds


def settled(read):
    """What it reads when it has stayed the same for a while."""
    last = [read()]

    def same():
        last.append(read())
        return len(last) > 20 and len(set(last[-20:])) == 1

    until(same, lambda: f"a value that stays, but {last[-3:]}", every=0.1)
    return last[-1]
