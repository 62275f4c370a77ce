# SPDX-License-Identifier: BSD-2-Clause
"""Rows of results: figures, goals, the table and the JSON file."""
import json
import statistics
from dataclasses import asdict, dataclass, field

BUSY = "not measured: machine busy"


def spread_percent(values):
    """Half of the distance between the quartiles, in percent of the median."""
    if len(values) < 4 or not statistics.median(values):
        return None
    low, _, high = statistics.quantiles(values, n=4)
    return round((high - low) * 50 / abs(statistics.median(values)), 1)


@dataclass
class Row:
    name: str
    unit: str
    ours: float = None
    peers: dict = field(default_factory=dict)
    ratio_best: float = None   # ours / that of the best peer, in the same launches
    goal: float = None         # at most so much
    goal_ratio: float = None   # at most so many times the best peer, or the one that `against` names
    against: str = None
    spread: float = None       # percent, of ours
    met: bool = None
    note: str = ""

    def judge(self):
        """A ratio goes before an absolute goal: the machine's speed varies."""
        if self.ours is None:
            return self
        if self.goal_ratio is not None:
            reference = self.ratio_best
            if self.against in self.peers:
                reference = self.ours / self.peers[self.against] if self.peers[self.against] else None
            if reference is not None:
                self.met = reference <= self.goal_ratio
        elif self.goal is not None:
            self.met = self.ours <= self.goal
        return self


def compare(row, ours, peers):
    """Fill row from lists of values, one per launch: {peer: [values]}. Ratios are taken launch by launch."""
    row.ours = round(statistics.median(ours), 4)
    row.spread = spread_percent(ours)
    row.peers = {name: round(statistics.median(v), 4) for name, v in peers.items() if v}
    ratios = []
    for values in peers.values():
        pairs = [(a, b) for a, b in zip(ours, values) if b > 0]
        if pairs:
            ratios.append(statistics.median(a / b for a, b in pairs))
    row.ratio_best = round(max(ratios), 3) if ratios else None
    return row.judge()


def busy(row):
    row.note = BUSY
    return row


def figure(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def goal_of(row):
    if row.goal_ratio is not None:
        return f"x{row.goal_ratio:g}" + (f" {row.against}" if row.against else "")
    return f"<={row.goal:g}" if row.goal is not None else ""


def text(row):
    """The row's line of the table."""
    goal = goal_of(row)
    verdict = {True: "ok", False: "MISSED", None: ""}[row.met]
    if row.ours is None:
        return f"{row.name:38} {row.note}"
    peers = "  ".join(f"{name} {figure(value)}" for name, value in row.peers.items())
    spread = f"±{row.spread:g}%" if row.spread is not None else ""
    ratio = f"x{row.ratio_best:.2f}" if row.ratio_best is not None else ""
    return (f"{row.name:38} {figure(row.ours):>8} {row.unit:14} {spread:7} {ratio:7} goal {goal:14} {verdict:6} "
            f"{peers} {row.note}").rstrip()


def markdown(rows):
    """A table of rows: columns for all peers that any of them has."""
    peers = list(dict.fromkeys(name for row in rows for name in row.peers))
    lines = [["row", "unit", "ours", *peers, "of best", "goal", ""], ["---"] * (len(peers) + 6)]
    for row in rows:
        ours = figure(row.ours) if row.ours is not None else row.note
        verdict = {True: "met", False: "missed", None: ""}[row.met]
        ratio = f"{row.ratio_best:.2f}" if row.ratio_best is not None else ""
        lines.append([row.name, row.unit, ours, *(figure(row.peers.get(name)) for name in peers), ratio, goal_of(row), verdict])
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def as_json(machine, rows, **more):
    return json.dumps({"machine": machine, **more, "rows": [asdict(row) for row in rows]}, indent=1) + "\n"


def read_json(path):
    """Rows of an earlier run; none when there is no such file."""
    try:
        with open(path) as f:
            return [Row(**row) for row in json.load(f)["rows"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
