"""Evaluation from command line options to a written report."""

from __future__ import annotations

import datetime
import shlex
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from ..classifiers.storage import command_for
from ..cli.command import say
from ..distributed.group import from_first, is_first, own_device, wait
from ..errors import QueryError, RunError
from ..io.files import of_code
from ..io.folders import new_folder, provenance
from ..networks.precision import choose_device
from ..statistics.misclassification import describe_units, units_for
from .approaches import Approach, approaches_of
from .inputs import Inputs, all_labels, load_inputs, load_runs, newest_runs
from .judge import independence_warnings
from .measure import Evaluation, measure
from .report.console import print_table
from .report.write import write_report
from .session import ResultCache, Settings
from .suite import HALF_WIDTH, EvalOptions


def evaluate(options: EvalOptions, arguments: Sequence[str]) -> dict[str, Any]:
    """Evaluate, write the report, print the table and return the outcome; processes share the work."""
    begun = time.perf_counter()
    options = replace(options, device=own_device(options.device))
    named = [Path(run) for run in options.run]
    chosen, passed_over = (named, []) if named else from_first(lambda: newest_runs(options.runs_dir))
    runs = load_runs(chosen, options.device, options.classifier)
    # What is asked and where it goes is checked before anything long starts, such as training a judge.
    options.suite.questions(all_labels(next(iter(runs.values()))))
    with _folder(options) as folder:
        taken = options.graph, options.judge, options.data_root, options.device, options.changed_data, options.features
        inputs = load_inputs(runs, *taken, options.runs_dir)
        for name, intervention in options.suite.interventions.items():
            try:
                intervention.check_causes(inputs.reference.scm.graph)
            except QueryError as error:
                raise QueryError(f"interventions, {name}: {error}") from None
        if options.suite.realism and inputs.features is None:
            command = command_for("features", inputs.data.name, next(iter(runs.values())).recipe.data_root)
            passed_over = [*passed_over, f"FD(features) is left out; train its classifier with: {command}"]
        approaches, left_out = _approaches(inputs, options, passed_over)
    half_width = options.half_width or options.suite.half_width or HALF_WIDTH
    settings = Settings(units_for(half_width), half_width, options.seed)
    evaluation = Evaluation(inputs, approaches, options.suite, settings, folder)
    pieces = ResultCache(folder, *_identity(evaluation, options))
    head = _head(evaluation, arguments, left_out)
    say(f"{head['settings']['told']} {folder}".lstrip())
    outcome = {**head, **measure(evaluation, pieces)}
    outcome["provenance"] = _provenance(evaluation, time.perf_counter() - begun)
    if is_first():
        write_report(folder, outcome)
        print_table(outcome, Console())
        say(f"wrote {folder / 'report.html'}")
    wait()  # what is written needs the parts no longer
    pieces.clear()
    return outcome


def _approaches(inputs: Inputs, options: EvalOptions, left_out: list[str]) -> tuple[tuple[Approach, ...], list[str]]:
    """Collect the approaches of all runs, and print what is left out."""
    found: list[Approach] = []
    for name, run in inputs.runs.items():
        looked_at = options.suite.flips_labels or options.suite.photographs
        if looked_at and run.labels is None and run.antecedent_classifier is None:
            command = command_for("classifier", run.recipe.data, run.recipe.data_root)
            left_out = [*left_out, f"{name} is left out: it needs a classifier to see antecedents with; {command}"]
            continue
        asked = options.mode, options.stickiness, options.budget
        approaches, sentences = approaches_of(run, name, inputs.reference, inputs.judge, *asked)
        found += approaches
        left_out = [*left_out, *sentences]
        if run.recipe.partial and options.suite.photographs:
            text = f"{name} is not asked about photographs: its generator is given {', '.join(run.graph.nodes)} alone"
            left_out = [*left_out, text]
    partial = all(run.recipe.partial for run in inputs.runs.values())
    if partial and not (options.suite.flips_labels or options.suite.realism):
        raise RunError("nothing is left to ask: " + "; ".join(left_out))
    if not found:
        raise RunError("no approach is left to compare: " + "; ".join(left_out))
    for sentence in left_out:
        say(sentence)
    kinds = [approach.kind for approach in found]
    return tuple(replace(one, one_of_several=kinds.count(one.kind) > 1) for one in found), left_out


@contextmanager
def _folder(options: EvalOptions) -> Iterator[Path]:
    """Create the report's folder and test writing to it; remove it if the evaluation is refused."""
    place = options.out or Path(options.runs_dir)
    made = is_first() and (options.out is None or not place.exists())
    try:
        if options.out is None:
            base, name = place, f"{datetime.date.today().isoformat()}-evaluation"
            place = from_first(lambda: new_folder(base, name))
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise RunError(f"the report cannot go to {place}: {error.strerror}") from None
    try:
        yield place
    except BaseException:
        if made:
            with suppress(OSError):
                place.rmdir()  # as empty as it was made
        raise


def _identity(evaluation: Evaluation, options: EvalOptions) -> tuple[object, ...]:
    """Return what every cached result depends on, including a fingerprint of the code."""
    m = evaluation.inputs
    code = of_code(Path(__file__).resolve().parents[1]), torch.__version__
    runs = [(name, str(run.folder)) for name, run in m.runs.items()]
    known = m.fingerprints, m.judge.scores, m.data.fingerprint
    return code, evaluation.settings, *known, m.graph.edges, runs, options.budget


def _head(evaluation: Evaluation, arguments: Sequence[str], left_out: list[str]) -> dict[str, Any]:
    m, settings = evaluation.inputs, evaluation.settings
    told = describe_units(settings.half_width) if evaluation.suite.flips_labels else ""
    return {
        "schema": 1,
        "title": evaluation.suite.name,
        "command": shlex.join(["python", "-m", "causalcf.eval", *arguments]),
        "data": {"name": m.data.name, "n": len(m.data), "reference": m.reference.kind, "told": m.reference.description},
        "nodes": list(m.reference.nodes),
        "caveats": list(m.caveats),
        "settings": {**vars(settings), "level": 0.95, "told": told, "left_out": left_out},
        "judge": m.judge.to_dict(independence_warnings(m.judge, m.runs)),
        "approaches": [_row(approach, evaluation) for approach in evaluation.approaches],
    }


def _row(approach: Approach, evaluation: Evaluation) -> dict[str, Any]:
    run = evaluation.inputs.runs[approach.run]
    return {
        "name": approach.name,
        "run": approach.run,
        "approach": run.recipe.approach,
        "statements": run.recipe.statements,
        "mode": approach.mode,
        "stickiness": approach.stickiness,
        "images": run.step * run.recipe.batch,
        "told": approach.description,
    }


def _provenance(evaluation: Evaluation, seconds: float) -> dict[str, Any]:
    m = evaluation.inputs
    first, *_ = m.runs.values()
    found = provenance(evaluation.settings.seed, choose_device(str(first.device)), first.precision, m.data.fingerprint)
    runs = {name: f"seed {run.recipe.seed}, step {run.step}" for name, run in m.runs.items()}
    known = {"runs": runs, "judge": m.judge.name, "fingerprints": m.fingerprints}
    return {**found, "seconds": round(seconds, 1), **known}
