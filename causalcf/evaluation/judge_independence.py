"""What speaks against a judge's independence of the runs it judges.

Whoever a generator was trained against, it has learned to deceive; and who looks for an antecedent must not be the one
who says whether it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ..classifiers import AttributeClassifier, load_classifier
from ..data import SOURCES
from ..errors import CausalCFError
from ..fingerprints import of_weights
from ..worlds.run import Run
from .judge import Judge


def doubts(judge: Judge, runs: Mapping[str, Run]) -> list[str]:
    """Sentences on what the judge shares with the runs, none where it is independent of them.

    Args:
        judge: who reads the images.
        runs: whom it judges, by name.
    """
    own, found = of_weights(judge.classifier.network), []
    if judge.role != "judge":
        was = "does not say what it was trained to be" if judge.role is None else f"was trained as a {judge.role}"
        found.append(f"{judge.name} {was}, not as a judge: runs may have been trained against it")
    kinds = set()
    for name, run in runs.items():
        teller = _teller(run)
        if own == (run.told_by or (teller and of_weights(teller.network))):
            found.append(f"the judge is the classifier that {name} was told statements by: it may be deceived by it")
        observer = run.observer if run.labels is None else None
        if observer and own == of_weights(observer.network):
            found.append(f"the judge is the classifier that sees antecedents in the images of {name}")
        kinds |= {other.architecture[0] for other in (teller, observer) if other}
    if judge.classifier.architecture[0] in kinds:
        kind = judge.classifier.architecture[0]
        found.append(f"the judge and a run's classifier are the same kind of network ({kind}): they may err alike")
    return found


def _teller(run: Run) -> AttributeClassifier | None:
    """The classifier that a run was told statements by, if it is where the recipe says, or beside the run."""
    if run.recipe.statements is None:
        return None
    named, base = run.recipe.statement_classifier or run.recipe.data, run.folder.parent
    beside = named if named in SOURCES else base / Path(named).name
    for source, place in ((named, run.recipe.runs), (beside, base)):
        with suppress(CausalCFError):  # it lies elsewhere now
            found = load_classifier(source, "cpu", place)
            if run.told_by in (None, of_weights(found.network)):  # and not one that has come in its place
                return found
    return None
