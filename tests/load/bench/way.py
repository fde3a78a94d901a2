"""The whole way of a property report: validated, stored, answered, logged."""

from contextlib import ExitStack

from bench.bench import RAISED, door_of
from bench.figures import Figure, Section, told
from bench.profile import top_ten
from hoshu.background import in_background

TITLE = "The whole way"
DEVICES = 1_000
WARM_UP_SECONDS = 5
RATES = {"100 posts/s": (100, 15), "1,000 posts/s": (1_000, 20), "10,000 posts/s": (10_000, 30)}
FULL, FULL_TLS = "as fast as answered", "the same by TLS"
FULL_SECONDS, FULL_TLS_SECONDS, WINDOW = 60, 20, 16
COUNTED_RATE, COUNTED_SECONDS = 10_000, 20
PROFILE_SECONDS = 10
PROFILE_WITHIN_SECONDS = 120


def measure(bench):
    with bench.house() as house:
        posts = {
            name: post(bench, door_of(house), seconds, rate=rate, window=WINDOW) for name, (rate, seconds) in RATES.items()
        }
        posts[FULL] = post(bench, door_of(house), FULL_SECONDS, window=WINDOW)
        posts[FULL_TLS] = post(bench, door_of(house, tls=True), FULL_TLS_SECONDS, window=WINDOW)
        profile = profiled(bench, house)
    counted, counts = counting(bench)
    figures = [
        Figure("whole way, answered and logged for a minute", held(posts[FULL]), "/s", 20_000),
        Figure("whole way, p99 at 10,000/s", posts["10,000 posts/s"]["replyMilliseconds"]["p99"], "ms", 20, more_is_better=False),
        Figure("whole way, processors busy at 1,000/s", busy(bench, posts["1,000 posts/s"]), "cores", 0.9, more_is_better=False),
        Figure("whole way, processors busy at 100/s", busy(bench, posts["100 posts/s"]), "cores", more_is_better=False),
        *(
            Figure(f"whole way, {what} a post at 10,000/s", value, unit, more_is_better=False)
            for what, (value, unit) in counts.items()
        ),
    ]
    post_rows = "\n".join(post_row(*one) for one in posts.items())
    cost_rows = "\n".join(cost_row(bench, *one) for one in posts.items())
    log_rows = "\n".join(log_row(*one) for one in posts.items())
    count_rows = "\n".join(f"| {what} | {told(value, unit)} |" for what, (value, unit) in counts.items())
    raised = ", ".join(f"`{name}={value}`" for name, value in RAISED.items())
    full = posts[FULL]
    return Section(
        f"""{DEVICES:,} devices, each its own MQTT 3.1.1 connection to one `hoshu up`, report five properties (about 150 bytes) with QoS 1. A post counts when its
`post_reply` with code 200 has come back, after {WARM_UP_SECONDS} s of warm-up. Its time runs from when it was due, also if it could only be sent later; as fast as answered, with {WINDOW}
unanswered posts each, it is mostly the wait behind one's own. Durability is the default's: a batch is on the stream before its PUBACK, in the database before its reply. Raised: {raised}.

| load | s | answered posts/s | reply p50 ms | p95 | p99 | sent | PUBACKed | without a 200 |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{post_rows}

Processor time in µs a post (processors kept busy):

| load | hoshu | PostgreSQL | NATS | the load itself |
| --- | --- | --- | --- | --- |
{cost_rows}

Log lines of {full["logged"]["devices"]} of the devices, counted through REST after the last answer (the counting itself takes part of the time):

| load | posts PUBACKed | UPSTREAM lines | TSL lines | all found after s |
| --- | --- | --- | --- | --- |
{log_rows}

Held for a minute: all posts as fast as answered, over the time until the last of their lines was found: {held(full):,.0f}/s. By TLS {posts[FULL_TLS]["postsPerSecond"] / full["postsPerSecond"]:.0%} of plain TCP.

### What a post costs

At {COUNTED_RATE:,}/s ({counted["postsPerSecond"]:,.0f}/s answered), on a PostgreSQL and a NATS whose counters are read before and after, what makes and connects the devices among it; a statement for a batch is a share of one for each of its posts.
Allocations are not counted.

| of each post | |
| --- | --- |
{count_rows}

### Where the time goes

{profile}
""",
        figures,
    )


def post(bench, door, seconds, **options):
    return bench.load(door, "post", devices=DEVICES, warm_up=WARM_UP_SECONDS, seconds=bench.seconds(seconds), **options)


def held(run):
    """Posts a second until the last one's line was found, from the first one on."""
    return run["acknowledged"] / (WARM_UP_SECONDS + run["seconds"] + run["logged"]["secondsBehind"])


def programs(bench):
    return bench.build.hoshu.name, "postgres", "nats-server"


def busy(bench, run):
    return sum(run["processors"][name]["busy"] for name in programs(bench))


def profiled(bench, house):
    """What `hoshu` does at the counted rate, by samples; the load is short and not measured."""
    seconds = bench.seconds(PROFILE_SECONDS)
    load = in_background(
        bench.load, door_of(house), "post",
        devices=DEVICES, rate=COUNTED_RATE, window=WINDOW, warm_up=WARM_UP_SECONDS, seconds=seconds, without_log=True,
    )
    with bench.folder() as folder:
        found = top_ten(house.process.pid, WARM_UP_SECONDS, seconds, folder)
    load.result(PROFILE_WITHIN_SECONDS)
    return found


def counting(bench):
    """A run whose servers count; answers with it, and with each count a post."""
    with ExitStack() as stack:
        postgres, nats = stack.enter_context(bench.servers())
        house = stack.enter_context(bench.house(HOSHU_DATABASE_URL=postgres.url, HOSHU_NATS_URL=nats.url))
        postgres.sql("CREATE EXTENSION pg_stat_statements")
        before = counters(postgres, nats)
        run = bench.load(
            door_of(house), "post",
            devices=DEVICES, rate=COUNTED_RATE, window=WINDOW, warm_up=WARM_UP_SECONDS, seconds=bench.seconds(COUNTED_SECONDS),
        )
        after = counters(postgres, nats)
    units = {"WAL": "bytes"}
    return run, {what: ((after[what] - before[what]) / run["acknowledged"], units.get(what, "")) for what in after}


def counters(postgres, nats):
    statements, rows, transactions, wal = postgres.sql(
        """SELECT (SELECT sum(calls) FROM pg_stat_statements), (SELECT sum(rows) FROM pg_stat_statements),
                  (SELECT sum(xact_commit) FROM pg_stat_database), pg_current_wal_lsn() - '0/0'"""
    ).split("|")
    messages = nats.ask("varz")
    return {
        "publishes to streams": sum(state["last_seq"] for state in nats.streams().values()),
        "messages into NATS": messages["in_msgs"],
        "messages out of NATS": messages["out_msgs"],
        "SQL statements": int(statements),
        "rows read or written": int(rows),
        "transactions": int(transactions),
        "WAL": int(wal),
    }


def post_row(name, run):
    reply = run["replyMilliseconds"] or {"p50": 0, "p95": 0, "p99": 0}
    others = run["sent"] - run["replies"].get("200", 0)
    return (
        f"| {name} | {run['seconds']:.0f} | {run['postsPerSecond']:,.0f} | {reply['p50']:.1f} | {reply['p95']:.1f} | {reply['p99']:.1f} "
        f"| {run['sent']:,} | {run['acknowledged']:,} | {others:,} |"
    )


def cost_row(bench, name, run):
    cells = []
    for program in (*programs(bench), bench.build.load.name):
        cost = run["processors"][program]
        cells.append(f"{cost['microsecondsPerMessage']:.0f} ({cost['busy']:.2f})")
    return f"| {name} | {' | '.join(cells)} |"


def log_row(name, run):
    logged = run["logged"]
    return (
        f"| {name} | {logged['postsAcknowledged']:,} | {logged['upstreamLines']:,} | {logged['tslLines']:,} "
        f"| {logged['secondsBehind']:.1f} |"
    )
