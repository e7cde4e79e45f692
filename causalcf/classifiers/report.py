"""What a classifier is worth, as JSON and as a table to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..graph_io import load_graph
from ..inert import markdown
from .classifier import AttributeClassifier
from .estimate import Estimate
from .parts import Parts
from .scores import AttributeScores, mean_estimate

FIGURES = ("accuracy", "balanced_accuracy", "balanced_accuracy_at_half", "auroc")
METHODS = {
    "accuracy": "share of images read rightly, saying 1 where the probability exceeds one half; Wilson's interval",
    "majority": "accuracy of always saying the value that is commoner among these very images",
    "balanced_accuracy": "mean of the accuracies on ones and on zeros, saying 1 where the probability exceeds the base "
    "rate of the images learned from, which is where calibrated probabilities make it greatest; no threshold was "
    "chosen on the images scored; Wilson's intervals combined by square-and-add (Newcombe 1998)",
    "balanced_accuracy_at_half": "the same, saying 1 where the probability exceeds one half",
    "auroc": "area under the ROC curve; Newcombe's score interval (2006, method 5), its variance raised to DeLong's "
    "where that is larger",
    "calibration_error": "expected calibration error over 15 bins of equal width. plain: as usually printed, biased "
    "upwards; by_chance: its mean for a perfectly calibrated classifier; corrected: the error that would show as the "
    "plain figure half of the time, its interval by inverting the simulated distribution of the plain figure (a "
    "percentile bootstrap counts chance twice)",
    "means": "over attributes; the interval is the mean of the intervals, too wide unless errors fall together",
    "intervals": "95 %; pooled counts over all images scored",
}


@dataclass(frozen=True)
class Report:
    """A classifier's scores, and where the images came from.

    Args:
        name: of its folder.
        classifier: the classifier.
        parts: what it learned from, what calibrated it, what it is scored on.
        scores: by attribute.
    """

    name: str
    classifier: AttributeClassifier
    parts: Parts
    scores: Mapping[str, AttributeScores]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        temperatures = self.classifier.calibration.temperature.tolist()
        attributes = {}
        for name, rate, temperature in zip(
            self.classifier.attributes, self.classifier.base_rates, temperatures, strict=True
        ):
            attributes[name] = {**_scores_dict(self.scores[name]), "base_rate": rate, "temperature": temperature}
        means = {
            told: {figure: self._mean(figure, names).to_dict() for figure in FIGURES}
            for told, names in self._groups().items()
        }
        return {
            "classifier": self.name,
            "network": dict(zip(("name", "width"), self.classifier.architecture, strict=True)),
            "images": {
                kind: {"n": len(part), "told": part.told, "fingerprint": part.data.fingerprint}
                for kind, part in vars(self.parts).items()
            },
            "attributes": attributes,
            "means": means,
            "methods": METHODS,
        }

    def to_markdown(self) -> str:
        """A table a person reads."""
        train, held_out, scored = self.parts.train, self.parts.held_out, self.parts.scored
        network, width = self.classifier.architecture
        lines = [
            f"# {markdown(self.name)}",
            "",
            f"{network}, width {width}. Learned from {len(train):,} images ({markdown(train.told)}); stopped and "
            f"calibrated on {len(held_out):,} ({markdown(held_out.told)}); scored on {len(scored):,} "
            f"({markdown(scored.told)}), which neither saw.",
            "",
            "| attribute | ones | majority | accuracy | balanced accuracy | at one half | AUROC | calibration error "
            "| plain (by chance) |",
            "|---|---|---|---|---|---|---|---|---|",
            *(self._row(name) for name in self.classifier.attributes),
            *(self._mean_row(told, names) for told, names in self._groups().items()),
            "",
            *(f"- {name}: {told}" for name, told in METHODS.items()),
            "",
        ]
        return "\n".join(lines)

    def _row(self, name: str) -> str:
        s = self.scores[name]
        cells = [
            markdown(name),
            f"{s.positives:,}",
            f"{s.majority:.3f}",
            *(str(getattr(s, figure)) for figure in FIGURES),
            str(s.calibration.corrected),
            f"{s.calibration.plain:.3f} ({s.calibration.by_chance:.3f})",
        ]
        return "| " + " | ".join(cells) + " |"

    def _mean_row(self, told: str, names: Sequence[str]) -> str:
        cells = [told, "", "", *(str(self._mean(figure, names)) for figure in FIGURES), "", ""]
        return "| " + " | ".join(cells) + " |"

    def _mean(self, figure: str, names: Sequence[str]) -> Estimate:
        return mean_estimate([getattr(self.scores[name], figure) for name in names])

    def _groups(self) -> dict[str, tuple[str, ...]]:
        """All attributes, and those of CausalGAN's graph where they are some of them."""
        names = self.classifier.attributes
        groups = {"mean of all": names}
        graph = load_graph("celeba").nodes
        if set(graph) < set(names):
            groups["mean of graph celeba"] = graph
        return groups


def _scores_dict(scores: AttributeScores) -> dict[str, Any]:
    return {
        "n": scores.n,
        "positives": scores.positives,
        "majority": scores.majority,
        **{figure: getattr(scores, figure).to_dict() for figure in FIGURES},
        "calibration_error": {
            "plain": scores.calibration.plain,
            "by_chance": scores.calibration.by_chance,
            "corrected": scores.calibration.corrected.to_dict(),
        },
        "confusion": scores.confusion,
        "confusion_at_base_rate": scores.confusion_at_base_rate,
    }
