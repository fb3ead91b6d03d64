"""The table of results."""

import dataclasses
import json
import statistics


@dataclasses.dataclass
class Row:
    name: str
    ours: str
    yardstick: str = ""
    result: str = ""
    required: str = ""
    aim: str = ""
    """None where nothing is required."""
    passed: bool | None = None
    aimed: bool | None = None
    notes: list = dataclasses.field(default_factory=list)

    @property
    def verdict(self):
        if self.passed is None:
            return "–"
        if not self.passed:
            return "miss"
        return "pass, aim" if self.aimed else "pass"


def ratio_row(name, ours, yardstick, required, aim=None, unit="/s", notes=(), ratio=None):
    """A row whose figure is `ours` over `yardstick`, at least `required`."""
    ratio = ours / yardstick if ratio is None else ratio
    return Row(
        name, f"{ours:,.0f}{unit}", f"{yardstick:,.0f}{unit}", f"{ratio:.2f} ×",
        f"≥ {required:g} ×" if required else "", f"{aim:g} ×" if aim else "",
        ratio >= required if required else None, aim is not None and ratio >= aim, list(notes))


def rate_row(name, ours, yardstick, required, aim=None, each=1):
    """Of two loads that took turns: the median of the ratios of their rounds, so that a busy moment counts for both."""
    ratios = [mine / other for mine, other in zip(ours.rates, yardstick.rates)]
    notes = [f"{min(ratios):.2f} to {max(ratios):.2f} × in {len(ratios)} rounds"] if len(ratios) > 1 else []
    return ratio_row(
        name, ours.rate * each, yardstick.rate * each, required, aim, notes=notes, ratio=statistics.median(ratios))


def most_row(name, ours, most, unit, yardstick="", notes=()):
    """A row whose figure may be `most` at most."""
    return Row(name, f"{ours:,.4g} {unit}", yardstick, f"{ours:,.4g} {unit}", f"≤ {most:g} {unit}", "", ours <= most, None, list(notes))


def printed(rows):
    heads = ["what", "ours", "yardstick", "result", "required", "aim", ""]
    lines = [[row.name, row.ours, row.yardstick, row.result, row.required, row.aim, row.verdict] for row in rows]
    widths = [max(len(line[i]) for line in [heads, *lines]) for i in range(len(heads))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in [heads, *lines]]
    shown.insert(1, "  ".join("─" * width for width in widths))
    for row in rows:
        shown += [f"    {row.name}: {note}" for note in row.notes]
    return "\n".join(shown)


def save(path, rows, facts):
    with open(path, "w", encoding="utf-8") as out:
        json.dump({**facts, "rows": [{**dataclasses.asdict(row), "verdict": row.verdict} for row in rows]}, out, indent=1)
        out.write("\n")
