"""Nanoseconds a message: ours beside `jsonschema`, and beside only parsing the same bytes."""

import json
import subprocess

from bench.figures import Figure, Section, told

TITLE = "Validator"
ROUNDS = 25
JSONSCHEMA_GOAL, PARSING_GOAL = 7, 1.4
OURS, JSONSCHEMA = "ours", "jsonschema"


def measure(bench):
    rounds = 3 if bench.quick else ROUNDS
    done = bench.build.cargo(
        "bench", "--package", "thing-model", "--bench", "validator",
        after=["--rounds", str(rounds)], stdout=subprocess.PIPE, text=True,
    )
    cases = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            one = json.loads(line)
            case = cases.setdefault((one["properties"], one["form"], one["faults"]), {"bytes": one["bytes"]})
            case[one["contender"]] = one["nanoseconds"]
    figures, rows = [], []
    for (properties, form, faults), took in cases.items():
        parsers = {name: value for name, value in took.items() if name not in ("bytes", OURS, JSONSCHEMA)}
        fastest = min(parsers, key=parsers.get)
        beside_schema, beside_parsing = took[JSONSCHEMA] / took[OURS], took[OURS] / parsers[fastest]
        rows.append(
            f"| {properties} | {form} | {faults} | {took['bytes']:,} | {took[OURS]:,.0f} | {took[JSONSCHEMA]:,.0f} | {beside_schema:.1f} "
            f"| {parsers[fastest]:,.0f} ({fastest}) | {beside_parsing:.2f} |"
        )
        what = f"validator, {properties} properties, {form}{', faults' if faults else ''}"
        figures.append(Figure(f"{what}: times as fast as `jsonschema`", beside_schema, "×", JSONSCHEMA_GOAL))
        if not faults:  # a parser has none to write down
            figures.append(Figure(f"{what}: time beside only parsing", beside_parsing, "×", PARSING_GOAL, more_is_better=False))
    listed = "\n".join(rows)
    return Section(
        f"""From a property report's bytes to the verdict with *all* faults, each with its pointer and words, by one thread. In each of the three models
one property in ten, or more, is a struct and as many are arrays; reports have all properties in the model's order, as devices send them. `plain` is the
value alone, `timed` each value as `{{"value":…,"time":…}}`. `jsonschema` judges an equivalent schema, made for this form alone (one for
both forms would slow it down), after `serde_json` has made its tree (with `float_roundtrip`, which it asks for), and writes down each fault's pointer and words too. Parsing is the fastest
for that message of serde_json and sonic-rs into nothing, sonic-rs into its value, simd-json into its tape. All agree on every message
before they are measured; then they take turns of 5 ms, and the median of {rounds} turns is told. Portable build: no `target-cpu=native`.

| properties | form | faults | bytes | ours ns | jsonschema ns | times ours | only parsing ns | ours, times that |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{listed}

Largest advantage over `jsonschema`: {told(max(one.value for one in figures if one.goal == JSONSCHEMA_GOAL))} times; least: {told(min(one.value for one in figures if one.goal == JSONSCHEMA_GOAL))} times.
""",
        figures,
    )
