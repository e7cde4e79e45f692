"""A judge whose probabilities are written into the images, and flips of units whose images are known."""

import torch
from torch import nn

from causalcf.classifiers.classifier import AttributeClassifier, Calibration
from causalcf.evaluation.approaches import Drawn
from causalcf.evaluation.flips import Flip
from causalcf.evaluation.judge import COUNTS, Judge
from causalcf.runs.counterfactual import Worlds

NODES = ("Young", "Bald")
RATES = (0.77, 0.04)


class Written(nn.Module):
    """P(label) of each node stands in the first pixels of an image."""

    def __init__(self, marker=0.0):
        super().__init__()
        self.marker = nn.Parameter(torch.tensor(marker))  # tells two of them apart

    def forward(self, images):
        return (images[:, 0, 0, : len(NODES)] / 2 + 0.5).logit(1e-6)


def written_classifier(marker=0.0, kind="written"):
    same = Calibration(torch.ones(2), torch.zeros(2))
    return AttributeClassifier(NODES, Written(marker), (0, 1), same, RATES, False, (kind, 0))


def written_judge(balanced=0.9, role="judge", marker=0.0):
    """A judge of this balanced accuracy, None where it was never scored."""
    ends = (None, None) if balanced is None else (balanced - 0.01, balanced + 0.01)
    estimate = dict(zip(("value", "low", "high"), (balanced, *ends), strict=True))
    counts = {"true 1, said 1": 90, "true 1, said 0": 10, "true 0, said 1": 10, "true 0, said 0": 90}
    scores = {name: {"balanced_accuracy": estimate, COUNTS: counts} for name in NODES}
    for found in scores.values():
        found |= {"accuracy": estimate, "auroc": estimate, "calibration_error": {"corrected": estimate}}
    return Judge(written_classifier(marker), scores, "toy", 200, "200 images.", role, "0" * 16)


def images(*probabilities):
    """(n, 3, 64, 64): an image for each (P(Young), P(Bald))."""
    made = torch.zeros(len(probabilities), 3, 64, 64)
    made[:, 0, 0, : len(NODES)] = torch.tensor(probabilities)
    return made


def young_flipped(judge, before, after, labels=None):
    """Young flipped on units with these images before and after; the facts are the judge's, or `labels`."""
    facts = judge.facts(before) if labels is None else labels
    n, noise = len(before), torch.zeros(len(before), 1)
    asked = None
    if labels is not None:
        asked = labels.clone()
        asked[:, 0] = 1 - asked[:, 0]
    drawn, actual = Drawn(torch.arange(n), noise, asked, after), Worlds(noise, facts, before)
    expected = torch.full((n, len(NODES)), 0.5, dtype=torch.float64)
    sign = (1 - 2 * facts[:, 0]).double()
    return Flip("Young", n, sign, judge.read(before), judge.read(after), expected, expected, actual, drawn)
