"""Figures that a later run is compared with: docs/benchmarks.json."""

import json
from dataclasses import asdict, dataclass

from bench.machine import CHECKOUT, machine

FILE = CHECKOUT / "docs/benchmarks.json"
# A shared machine's own unrest is less than this.
NOTABLE = 0.15


@dataclass(frozen=True)
class Figure:
    what: str
    value: float
    unit: str
    goal: float | None = None
    more_is_better: bool = True

    def verdict(self):
        if self.goal is None:
            return ""
        met = self.value >= self.goal if self.more_is_better else self.value <= self.goal
        return "met" if met else "**not met**"


@dataclass(frozen=True)
class Section:
    """What one measurement answers with."""

    text: str
    figures: list


def told(number, unit=""):
    """A number as people read it: three digits that count."""
    digits = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2 if abs(number) >= 0.1 else 4
    return f"{number:,.{digits}f}{unit and ' '}{unit}"


def read():
    """Of each measurement its machine and its figures, as the last written run left them."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def compare(kept, measured):
    """What was kept, with what is measured now in its place, each figure with the one before it."""
    now = dict(kept)
    for name, section in measured.items():
        before = kept.get(name, {"machine": None, "figures": []})
        values = {one["what"]: one["value"] for one in before["figures"]}
        now[name] = {
            "machine": machine(),
            "machineBefore": before["machine"],
            "figures": [{**asdict(one), "before": values.get(one.what)} for one in section.figures],
        }
    return now


def write(kept):
    FILE.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")


def table(kept, names):
    """Every figure beside its goal and the one before it, as Markdown."""
    rows = ["| | measured | goal | | before | |", "| --- | --- | --- | --- | --- | --- |"]
    for measurement in (kept[name] for name in names if name in kept):
        elsewhere = "" if measurement["machine"] == measurement["machineBefore"] else ", on another machine"
        for one in measurement["figures"]:
            before = one["before"]
            figure = Figure(**{name: value for name, value in one.items() if name != "before"})
            goal = "" if figure.goal is None else f"{'≥' if figure.more_is_better else '≤'} {told(figure.goal, figure.unit)}"
            rows.append(
                f"| {figure.what} | {told(figure.value, figure.unit)} | {goal} | {figure.verdict()} "
                f"| {'' if before is None else told(before, figure.unit)} | {_change(figure, before, elsewhere)} |"
            )
    return "\n".join(rows)


def _change(figure, before, elsewhere):
    if not before or not figure.value:
        return ""
    worse = before / figure.value if figure.more_is_better else figure.value / before
    if worse > 1 + NOTABLE:
        return f"**worse by {worse - 1:.0%}**{elsewhere}"
    return f"better by {1 / worse - 1:.0%}{elsewhere}" if 1 / worse > 1 + NOTABLE else "as before"
