"""The report of a classifier: scores as JSON and as a table, sheets of images, TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..data.images import to_unit_interval
from ..graph.files import load_graph
from ..io.files import write_atomically
from ..io.text import file_names, markdown, markdown_table
from ..pictures.sheets import Row, save_sheet
from ..statistics.rates import Estimate
from .classifier import AttributeClassifier
from .scores import AttributeScores, mean_estimate, score_attributes
from .splits import Split, Splits

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

SHOWN = 12  # images a row
FIGURES = ("accuracy", "balanced_accuracy", "balanced_accuracy_at_half", "auroc")
HEADS = (
    "attribute", "ones", "majority", "accuracy", "balanced accuracy", "at one half", "AUROC", "calibration error",
    "plain (by chance)",
)  # fmt: skip
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
JSON, TABLE = "report.json", "report.md"
CHUNK = 1024  # images in memory at a time


def right_and_wrong(attribute: str, part: Split, truth: Tensor, p: Tensor) -> list[Row]:
    """Return four rows: correct 1, correct 0, wrong 1, wrong 0; the most confident images first."""
    rows = []
    for verdict, right in (("right", True), ("wrong", False)):
        for value in (1, 0):
            places = (((p > 0.5) == bool(value)) & ((truth == value) == right)).nonzero().squeeze(1)
            surest = places[(p[places] - 0.5).abs().argsort(descending=True, stable=True)]
            said = int(((p > 0.5) == bool(value)).sum())
            title = f"{attribute}\nsaid {value}, {verdict}\n{len(places):,} of {said:,}"
            rows.append((title, to_unit_interval(part.pixels(surest[:SHOWN]))))
    return rows


@dataclass(frozen=True)
class Report:
    """Scores of a classifier by attribute, and the splits that it was trained and scored on."""

    name: str
    classifier: AttributeClassifier
    parts: Splits
    scores: Mapping[str, AttributeScores]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        classifier, attributes = self.classifier, {}
        figures = classifier.base_rates, classifier.calibration.temperature.tolist()
        for name, rate, temperature in zip(classifier.attributes, *figures, strict=True):
            attributes[name] = {**_plain(self.scores[name]), "base_rate": rate, "temperature": temperature}
        means = {
            description: {figure: self._mean(figure, names).to_dict() for figure in FIGURES}
            for description, names in self._groups().items()
        }
        return {
            "classifier": self.name,
            "network": dict(zip(("name", "width"), classifier.architecture, strict=True)),
            "images": self.parts.to_dict(),
            "attributes": attributes,
            "means": means,
            "methods": METHODS,
        }

    def to_markdown(self) -> str:
        train, held_out, scored = self.parts.train, self.parts.held_out, self.parts.scored
        network, width = self.classifier.architecture
        lines = [
            f"# {markdown(self.name)}",
            "",
            f"{network}, width {width}. Trained on {len(train):,} images ({markdown(train.description)}); stopped and "
            f"calibrated on {len(held_out):,} ({markdown(held_out.description)}); scored on {len(scored):,} "
            f"({markdown(scored.description)}), which neither saw.",
            "",
            markdown_table(HEADS, self._rows()),
            "",
            *(f"- {name}: {description}" for name, description in METHODS.items()),
            "",
        ]
        return "\n".join(lines)

    def _rows(self) -> Iterator[list[str]]:
        """Yield the cells of the table, by attribute and then by mean."""
        for name in self.classifier.attributes:
            s, figures = self.scores[name], [str(getattr(self.scores[name], figure)) for figure in FIGURES]
            error = s.calibration_error
            errors = [str(error.corrected), f"{error.plain:.3f} ({error.by_chance:.3f})"]
            yield [name, f"{s.positives:,}", f"{s.majority:.3f}", *figures, *errors]
        for description, names in self._groups().items():
            yield [description, "", "", *(str(self._mean(figure, names)) for figure in FIGURES), "", ""]

    def _mean(self, figure: str, names: Sequence[str]) -> Estimate:
        return mean_estimate([getattr(self.scores[name], figure) for name in names])

    def _groups(self) -> dict[str, tuple[str, ...]]:
        """Return all attributes, and those of the preset graph "celeba" if they are a proper subset."""
        names = self.classifier.attributes
        groups = {"mean of all": names}
        graph = load_graph("celeba").nodes
        if set(graph) < set(names):
            groups["mean of graph celeba"] = graph
        return groups


def _plain(value: Any) -> Any:
    """Return JSON-ready values of scores."""
    if isinstance(value, Estimate):
        return value.to_dict()
    return {name: _plain(part) for name, part in vars(value).items()} if is_dataclass(value) else value


def write_report(folder: Path, classifier: AttributeClassifier, parts: Splits, seed: int, images_seen: int) -> Report:
    """Write report.json, report.md, the sheets and the TensorBoard events; `images_seen` is the clock."""
    scored, names = parts.scored, classifier.attributes
    index = torch.arange(len(scored)).split(CHUNK)
    probabilities = torch.cat([classifier(to_unit_interval(scored.pixels(places))) for places in index])
    draw = torch.Generator().manual_seed(seed)
    scores = score_attributes(names, scored.labels(names), probabilities, classifier.base_rates, draw)
    report = Report(folder.name, classifier, parts, scores)
    labels, files = scored.labels(names), file_names(names)
    with tensorboard_writer(folder) as board:
        for column, (name, score) in enumerate(scores.items()):
            for figure in ("accuracy", "balanced_accuracy", "auroc"):
                board.add_scalar(f"{figure}/{name}", getattr(score, figure).value, images_seen)
            board.add_scalar(f"calibration_error/{name}", score.calibration_error.plain, images_seen)
            rows = right_and_wrong(name, scored, labels[:, column], probabilities[:, column])
            sheet = save_sheet(folder / f"right-and-wrong-{files[name]}.png", rows)
            board.add_image(f"right-and-wrong/{name}", sheet, images_seen, dataformats="HWC")
    write_atomically(folder / TABLE, report.to_markdown().encode())
    write_atomically(folder / JSON, json.dumps(report.to_dict(), indent=2).encode())
    return report


def tensorboard_writer(folder: Path) -> SummaryWriter:
    """Open a TensorBoard writer in a folder, as a context manager."""
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))
