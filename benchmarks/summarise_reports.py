"""Several evaluations of the same suite, as one table: the approaches of several training seeds side by side.

    python benchmarks/summarise_reports.py REPORT/report.json ... [--pair "Male->Mustache"]

For each approach: how many links get which verdict (a link "answers" where the reference exceeds the margin, and is
"null" where the reference is 0), mean link error, effectiveness, how often the flip alone is seen, realism. Each figure
is the mean over reports, with the least and the greatest of them in brackets where there are several: seeds are too few
for an interval.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from causalcf.cli.command import run as run_command
from causalcf.errors import RunError
from causalcf.evaluation.report.links import number
from causalcf.evaluation.suite import Link

Report = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description="Several evaluations as one table.")
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--pair", action="append", default=[], help="a link to show by itself")
    options = parser.parse_args()
    reports = [read(path) for path in options.reports]
    names = list(dict.fromkeys(link["approach"] for report in reports for link in report["links"]))
    console = Console(width=180)
    table = Table("approach", *COLUMNS, title=f"{len(reports)} reports")
    for name in names:
        table.add_row(name, *(spread([figure(report, name) for report in reports]) for figure in COLUMNS.values()))
    console.print(table)
    for pair in map(Link.parse, options.pair):
        console.print(of_pair(reports, names, pair))


def read(path: Path) -> Report:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is no report.json: {error}") from None


def plain(report: Report, name: str) -> list[dict[str, Any]]:
    """The links of an approach that were asked of everyone, nothing held, and judged."""
    unjudged = ("none", "withheld")
    links = [link for link in report["links"] if link["approach"] == name and not link["given"] and not link["held"]]
    return [link for link in links if link["verdict"] not in unjudged]


def share(kind: str, *verdicts: str) -> Callable[[Report, str], float | None]:
    """Links of a kind that get one of these verdicts, out of those of the kind that were judged."""

    def figure(report: Report, name: str) -> float | None:
        margin = report["settings"]["margin"]
        kinds = {
            "any": lambda r: True,
            "answering": lambda r: abs(r) > margin,
            "null": lambda r: r == 0,
        }
        links = [link for link in plain(report, name) if kinds[kind](link["reference"])]
        return sum(link["verdict"] in verdicts for link in links) / len(links) if links else None

    return figure


def judged(report: Report, name: str) -> float | None:
    return float(len(plain(report, name))) or None


def link_error(report: Report, name: str) -> float | None:
    errors = [link["link_error"] for link in plain(report, name)]
    return statistics.fmean(errors) if errors else None


def axiom(*keys: str) -> Callable[[Report, str], float | None]:
    def figure(report: Report, name: str) -> float | None:
        found = report["axioms"].get(name)
        for key in keys:
            found = None if found is None else found.get(key)  # reports of older versions lack some
        return None if found is None else found["value"]

    return figure


def realism(report: Report, name: str) -> float | None:
    """Of the run that the approach asks; the keys of `realism` are kinds of runs, and runs where a kind has several."""
    runs = {approach["name"]: approach["run"] for approach in report["approaches"]}
    return next((one["FD(judge)"] for one in report["realism"].values() if one["run"] == runs.get(name)), None)


COLUMNS: dict[str, Callable[[Report, str], float | None]] = {
    "judged of 72": judged,
    "respected": share("any", "respected"),
    "answering: respected": share("answering", "respected"),
    "weak": share("answering", "weak"),
    "absent": share("answering", "absent"),
    "reversed": share("answering", "reversed"),
    "exaggerated": share("answering", "exaggerated"),
    "null: leaks": share("null", "leaks"),
    "link error": link_error,
    "effectiveness": axiom("effectiveness", "all"),
    "flipped": axiom("effectiveness", "flipped"),
    "minimality": axiom("minimality", "non_descendants"),
    "FD(judge)": realism,
}


def of_pair(reports: Sequence[Report], names: Sequence[str], pair: Link) -> Table:
    table = Table("approach", "effect", "reference", "leak", "verdicts", title=str(pair))
    for name in names:
        links = [
            link
            for report in reports
            for link in report["links"]
            if (link["approach"], link["cause"], link["effect"]) == (name, pair.cause, pair.effect)
            and not link["given"]
            and not link["held"]
        ]
        figures = (spread([link[key] for link in links]) for key in ("effect_estimate", "reference", "leak"))
        table.add_row(name, *figures, ", ".join(link["verdict"] for link in links))
    return table


def spread(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    mean = number(statistics.fmean(known))
    return mean if len(known) == 1 else f"{mean} [{number(min(known))}, {number(max(known))}]"


if __name__ == "__main__":
    sys.exit(run_command(main))
