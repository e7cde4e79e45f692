"""The judge: the classifier that measures images, its scores, its features and its independence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..classifiers.classifier import AttributeClassifier
from ..classifiers.report import JSON
from ..classifiers.storage import find_classifier, load_classifier, role_of
from ..data import SOURCES
from ..data.images import DataSource
from ..errors import CausalCFError, RunError, unknown
from ..io.files import of_file, of_weights
from ..io.untrusted import read_json
from ..runs.directory import beside
from ..runs.run import Run
from ..statistics.rates import Rate

COUNTS = "confusion_at_base_rate"
MIN = 0.75  # balanced accuracy below which verdicts on a label are withheld
CHUNK = 512


def extractor_name(classifier: AttributeClassifier) -> str:
    """Name the feature extractor by the judge's network and width, as in "judge residual 24"."""
    network, width = classifier.architecture
    return f"judge {network} {width}"


@torch.no_grad()
def judge_features(classifier: AttributeClassifier, images: Tensor) -> Tensor:
    """Return the (n, f) float64 inputs of the judge's last linear layer, mirror images averaged."""
    linear = [module for module in classifier.network.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise CausalCFError(f"{extractor_name(classifier)}: the network has no linear layer whose input to compare")
    caught: list[Tensor] = []
    hook = linear[-1].register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0].double().cpu()))
    try:
        classifier.logits(images)
    finally:
        hook.remove()
    if not classifier.mirror:
        return torch.cat(caught)
    return (torch.cat(caught[0::2]) + torch.cat(caught[1::2])) / 2  # each chunk is followed by its mirror image


@dataclass(frozen=True)
class Judge:
    """Classifier that reads labels from images, with its own scores on images not trained on."""

    classifier: AttributeClassifier
    scores: Mapping[str, Mapping[str, Any]]
    name: str
    n: int
    description: str
    role: str | None
    fingerprint: str

    @property
    def nodes(self) -> tuple[str, ...]:
        return self.classifier.attributes

    def read(self, images: Tensor) -> Tensor:
        """Read (n, d) int8 labels from (n, 3, h, w) images in [0, 1], with the base rate as threshold."""
        return self.above_base_rates(self.probabilities(images))

    def above_base_rates(self, probabilities: Tensor) -> Tensor:
        """Return (n, d) int8: where (n, d) probabilities exceed the labels' base rates."""
        return (probabilities > torch.tensor(self.classifier.base_rates)).to(torch.int8)

    def facts(self, images: Tensor) -> Tensor:
        """Return (n, d) int8, the likelier value of each label: threshold 0.5."""
        return (self.probabilities(images) > 0.5).to(torch.int8)

    def probabilities(self, images: Tensor) -> Tensor:
        """Return (n, d) calibrated probabilities of the labels in (n, 3, h, w) images in [0, 1]."""
        if not len(images):
            return torch.zeros(0, len(self.nodes))
        return torch.cat([self.classifier(part) for part in images.split(CHUNK)])

    def rates(self, name: str) -> tuple[Rate, Rate]:
        """Return sensitivity and specificity of `read` on the images scored."""
        counts = self.scores[name][COUNTS]
        ones = counts["true 1, said 1"] + counts["true 1, said 0"]
        zeros = counts["true 0, said 1"] + counts["true 0, said 0"]
        return Rate(counts["true 1, said 1"], ones), Rate(counts["true 0, said 0"], zeros)

    def too_weak(self, name: str) -> str:
        """Return why verdicts on a label are withheld, or ""."""
        found = self.scores[name]["balanced_accuracy"]["value"]
        if found is None:
            return f"the judge was never scored on both values of {name}"
        return f"the judge's balanced accuracy on {name} is {found:.3f}; a verdict takes {MIN}" if found < MIN else ""

    def to_dict(self, warnings: Sequence[str]) -> dict[str, Any]:
        """Return the judge's part of report.json; any warning means that it is not independent."""
        return {
            "name": self.name,
            "network": "{}, width {}".format(*self.classifier.architecture),
            "n": self.n,
            "told": self.description,
            "independent": not warnings,
            "warnings": list(warnings),
            "attributes": {name: self._row(name) for name in self.nodes},
        }

    def _row(self, name: str) -> dict[str, Any]:
        scores, (sensitivity, specificity) = self.scores[name], self.rates(name)
        return {
            **{score: _estimate(scores[score]) for score in ("accuracy", "balanced_accuracy", "auroc")},
            "calibration_error": _estimate(scores["calibration_error"]["corrected"]),
            "sensitivity": sensitivity.to_dict(),
            "specificity": specificity.to_dict(),
            "withheld": bool(self.too_weak(name)),
        }


def _estimate(found: Mapping[str, Any]) -> dict[str, float | None]:
    """Check that an estimate of a report holds numbers or null, and return it."""
    parts = {part: found[part] for part in ("value", "low", "high")}
    if not all(value is None or isinstance(value, (int, float)) for value in parts.values()):
        raise TypeError(f"no estimate: {parts}")
    return parts


def load_judge(
    source: str | Path,
    nodes: Sequence[str],
    device: str = "auto",
    runs: str | Path = "runs",
    data: DataSource | None = None,
) -> Judge:
    """Load a classifier, by folder or the name of its data, with its own report, as a judge of these labels."""
    file = find_classifier(source, runs, "judge", data)
    place, classifier = file.parent, load_classifier(file, device)
    for name in nodes:
        if name not in classifier.attributes:
            raise RunError(f"the judge {place}: " + unknown("label", name, classifier.attributes))
    try:
        report = read_json(place / JSON)
        scored, identity = report["images"]["scored"], (role_of(file), of_file(file))
        n, description = scored["n"], scored["told"]
        if not (isinstance(n, int) and isinstance(description, str)):
            raise TypeError("a number of images and where they come from")
        judge = Judge(classifier.select(nodes), report["attributes"], place.resolve().name, n, description, *identity)
        judge.to_dict([])  # reads all that will be read of the report
    except (OSError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise RunError(
            f"the judge {place} has no report of its own scores, or an old or damaged one; write it anew with: "
            f"python -m causalcf.classify --report-only {place}"
        ) from error
    return judge


def independence_warnings(judge: Judge, runs: Mapping[str, Run]) -> list[str]:
    """Return one sentence for each thing that the judge shares with the runs; empty if independent."""
    own, found = of_weights(judge.classifier.network), []
    if judge.role != "judge":
        was = "does not say what it was trained to be" if judge.role is None else f"was trained as a {judge.role}"
        found.append(f"{judge.name} {was}, not as a judge: runs may have been trained against it")
    kinds = set()
    for name, run in runs.items():
        constrained_by = _constraint_classifier(run)
        if own == (run.constraint_classifier or (constrained_by and of_weights(constrained_by.network))):
            found.append(f"the judge is the classifier that {name} was told statements by: it may be deceived by it")
        antecedent_classifier = run.antecedent_classifier if run.labels is None else None
        if antecedent_classifier and own == of_weights(antecedent_classifier.network):
            found.append(f"the judge is the classifier that sees antecedents in the images of {name}")
        kinds |= {other.architecture[0] for other in (constrained_by, antecedent_classifier) if other}
    if judge.classifier.architecture[0] in kinds:
        kind = judge.classifier.architecture[0]
        found.append(f"the judge and a run's classifier are the same kind of network ({kind}): they may err alike")
    return found


def _constraint_classifier(run: Run) -> AttributeClassifier | None:
    """Load the classifier of a run's statement constraints from the recipe's place or beside the run."""
    if run.recipe.statements is None:
        return None
    named, base = run.recipe.statement_classifier or run.recipe.data, beside(run.folder, run.recipe)
    own = named if named in SOURCES else base / Path(named).name
    for source, place in ((named, run.recipe.runs_dir), (own, base)):
        with suppress(CausalCFError):  # it lies elsewhere now
            found = load_classifier(source, "cpu", place)
            if run.constraint_classifier in (None, of_weights(found.network)):  # and not one that has come in its place
                return found
    return None
