"""Which runs are compared where none are named: the newest finished one of each kind, all of one data set."""

from __future__ import annotations

from pathlib import Path

from ..errors import RunError
from ..recipe import APPROACHES
from ..runs import FinishedRun, finished_runs


def newest_runs(base: str | Path) -> tuple[list[Path], list[str]]:
    """The newest finished run of each kind, of the data of the newest of all; and a sentence for what is passed over.

    Runs of one kind that differ in their seed are as good as each other. Those that were told other statements are
    not: a run told what is false, as a control, would stand for all that were told.

    Args:
        base: the folder that runs go into.

    Raises:
        RunError: there is none.
    """
    finished = finished_runs(base)
    if not finished:
        raise RunError(f"no finished run in {base}; train one with python -m causalcf.train, or name some with --runs")
    same = [run for run in finished if _data_of(run) == _data_of(finished[-1])]
    newest = {run.kind: run for run in same}
    left_out = [told for run in newest.values() if (told := _told_otherwise(run, same))]
    if other := {run.kind for run in finished} - set(newest):
        name = finished[-1].folder.name
        left_out.append(f"left out: {', '.join(sorted(other))}, whose runs are of other data than {name}")
    ordered = sorted(newest.values(), key=lambda run: (APPROACHES.index(run.approach), run.kind))
    return [run.folder for run in ordered], left_out


def _told_otherwise(run: FinishedRun, runs: list[FinishedRun]) -> str:
    """That runs of the same kind were told other statements, or ""."""
    told = run.recipe.get("statements")
    others = {}
    for other in runs:
        if other.kind == run.kind and other.recipe.get("statements") != told:
            others[other.recipe.get("statements")] = other.folder.name  # the newest of each
    if not others:
        return ""
    named = ", ".join(f"{name} ({statements})" for statements, name in others.items())
    return (
        f"of the {run.kind} runs the newest is asked, {run.folder.name}, which was told {told}; left out are those "
        f"told other statements: {named}; name them with --runs"
    )


def _data_of(run: FinishedRun) -> tuple[object, ...]:
    return tuple(run.recipe.get(key) for key in ("data", "data_root", "data_size"))
