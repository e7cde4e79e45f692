"""The judge: a classifier that shares nothing with what it judges, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..bounded import read_json
from ..classifiers import AttributeClassifier, load_classifier
from ..classifiers.reporting import JSON
from ..classifiers.storage import find_classifier, role_of
from ..errors import RunError, unknown
from ..fingerprints import of_file
from .effectiveness import Rate

COUNTS = "confusion_at_base_rate"
LEAST = 0.75  # balanced accuracy below which verdicts on a label are withheld
CHUNK = 512


@dataclass(frozen=True)
class Judge:
    """Reads labels off images, and knows its own scores on images that it never saw.

    Args:
        classifier: of the d labels, in the order of all columns.
        scores: label -> its part of the classifier's report.json.
        name: of its folder.
        n: images scored.
        told: where they come from.
        role: what it was trained to be, which should be "judge"; None where its folder does not say.
        fingerprint: of its file.
    """

    classifier: AttributeClassifier
    scores: Mapping[str, Mapping[str, Any]]
    name: str
    n: int
    told: str
    role: str | None
    fingerprint: str

    @property
    def nodes(self) -> tuple[str, ...]:
        return self.classifier.attributes

    @property
    def network(self) -> str:
        """Its architecture in words."""
        return "{}, width {}".format(*self.classifier.architecture)

    def read(self, images: Tensor) -> Tensor:
        """(n, 3, h, w) images in [0, 1] to (n, d) int8: whether the image speaks for each label.

        A label is read as 1 where its probability exceeds the base rate. That makes sensitivity and specificity
        together greatest, and so an effect least blurred; a reader at one half hardly ever says that a label is there
        which one face in twenty-five has, also after it was put there.
        """
        return (self._probabilities(images) > torch.tensor(self.classifier.base_rates)).to(torch.int8)

    def facts(self, images: Tensor) -> Tensor:
        """(n, d) int8: the likelier value of each label, which is the better guess of what an image is of."""
        return (self._probabilities(images) > 0.5).to(torch.int8)

    def _probabilities(self, images: Tensor) -> Tensor:
        if not len(images):
            return torch.zeros(0, len(self.nodes))
        return torch.cat([self.classifier(part) for part in images.split(CHUNK)])

    def rates(self, name: str) -> tuple[Rate, Rate]:
        """Sensitivity and specificity of `read`, on the images scored."""
        counts = self.scores[name][COUNTS]
        ones = counts["true 1, said 1"] + counts["true 1, said 0"]
        zeros = counts["true 0, said 1"] + counts["true 0, said 0"]
        return Rate(counts["true 1, said 1"], ones), Rate(counts["true 0, said 0"], zeros)

    def too_weak(self, name: str) -> str:
        """Why verdicts on a label are withheld, or ""."""
        found = self.scores[name]["balanced_accuracy"]["value"]
        if found is None:
            return f"the judge was never scored on both values of {name}"
        return (
            f"the judge's balanced accuracy on {name} is {found:.3f}; a verdict takes {LEAST}" if found < LEAST else ""
        )

    def to_dict(self, warnings: Sequence[str]) -> dict[str, Any]:
        """The judge's part of report.json.

        Args:
            warnings: what speaks against its independence of the runs judged.
        """
        return {
            "name": self.name,
            "network": self.network,
            "n": self.n,
            "told": self.told,
            "independent": not warnings,
            "warnings": list(warnings),
            "attributes": {name: self._row(name) for name in self.nodes},
        }

    def _row(self, name: str) -> dict[str, Any]:
        scores, (sensitivity, specificity) = self.scores[name], self.rates(name)
        return {
            "accuracy": _estimate(scores["accuracy"]),
            "balanced_accuracy": _estimate(scores["balanced_accuracy"]),
            "auroc": _estimate(scores["auroc"]),
            "calibration_error": _estimate(scores["calibration_error"]["corrected"]),
            "sensitivity": sensitivity.to_dict(),
            "specificity": specificity.to_dict(),
            "withheld": bool(self.too_weak(name)),
        }


def _estimate(found: Mapping[str, Any]) -> dict[str, float | None]:
    """An estimate of a report, of numbers or null.

    Raises:
        LookupError, TypeError: anything else.
    """
    parts = {part: found[part] for part in ("value", "low", "high")}
    if not all(value is None or isinstance(value, (int, float)) for value in parts.values()):
        raise TypeError(f"no estimate: {parts}")
    return parts


def load_judge(source: str | Path, nodes: Sequence[str], device: str = "auto", runs: str | Path = "runs") -> Judge:
    """A trained classifier with its report, as a judge of these labels.

    Args:
        source: its folder, or "faces", "celeba", "folder" for the newest judge of that data in `runs`.
        nodes: the labels.
        device: where it reads.
        runs: the folder that judges of a data set are looked for in.

    Raises:
        RunError: no classifier or no report there, or a label that it does not read.
    """
    file = find_classifier(source, runs, "judge")
    place, classifier = file.parent, load_classifier(file, device)
    for name in nodes:
        if name not in classifier.attributes:
            raise RunError(f"the judge {place}: " + unknown("label", name, classifier.attributes))
    try:
        report = read_json(place / JSON)
        scored, identity = report["images"]["scored"], (role_of(file), of_file(file))
        n, told = scored["n"], scored["told"]
        if not (isinstance(n, int) and isinstance(told, str)):
            raise TypeError("a number of images and where they come from")
        judge = Judge(classifier.select(nodes), report["attributes"], place.resolve().name, n, told, *identity)
        judge.to_dict([])  # reads all that will be read of the report
    except (OSError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise RunError(
            f"the judge {place} has no report of its own scores, or an old or damaged one; write it anew with: "
            f"python -m causalcf.classify --report-only {place}"
        ) from error
    return judge
