"""A run whose generator writes labels into pixels, so that what a judge should see is known."""

from dataclasses import dataclass
from types import SimpleNamespace

import torch

from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM
from causalcf.runs.recipe import Recipe

GRAPH = CausalGraph({"Young": [], "Male": [], "Bald": ["Male", "Young"], "Mustache": ["Male"], "Eyeglasses": ["Young"]})
BALD_MEN = [0.11263, 0.01946]  # P(Bald = 1) of old and of young men, as in CelebA
TABLES = {
    "Young": 0.75,
    "Male": 0.4,
    "Bald": [[0.001, 0.0005], BALD_MEN],
    "Mustache": [0.001, 0.1],
    "Eyeglasses": [0.2, 0.05],
}


@dataclass(frozen=True)
class FakeRun:
    """Does what `causalcf.answers.answer` asks of a run.

    Args:
        labelled: has a label model; else it only acts by it, as a generator without labels would.
        blind: labels that never reach the images.
        side: of the images, in pixels.
    """

    labelled: bool = True
    blind: tuple[str, ...] = ()
    side: int = 8
    graph: CausalGraph = GRAPH
    antecedent_classifier: object = None
    caveat: str = ""
    recipe: Recipe = Recipe()

    @property
    def scm(self):
        return LabelSCM.from_probabilities(self.graph, {name: TABLES[name] for name in self.graph.nodes})

    @property
    def labels(self):
        return self.scm if self.labelled else None

    def sample(self, n, do=None, given=None, generator=None, budget=100_000, on_world=lambda n: None):
        noise = torch.rand(n, 3, generator=generator)
        labels = self.scm.sample(n, do=do, given=given, generator=generator)
        return SimpleNamespace(noise=noise, labels=labels, images=self._images(noise, labels))

    def counterfactual(
        self,
        worlds,
        do=None,
        observe=None,
        stickiness=1.0,
        draws=1,
        generator=None,
        noise_stickiness=None,
        budget=100_000,
        on_unit=lambda n: None,
    ):
        labels = self.scm.counterfactual(worlds.labels, do, observe, stickiness, draws, generator)
        n, kept = len(labels), stickiness if noise_stickiness is None else noise_stickiness
        keep = torch.rand(n, draws, 3, generator=generator) < kept
        noise = torch.where(keep, worlds.noise[:, None], torch.rand(n, draws, 3, generator=generator))
        images = self._images(noise.flatten(0, 1), labels.flatten(0, 1)).unflatten(0, (n, draws))
        told = [SimpleNamespace(probability=0.25, acceptance=0.9), SimpleNamespace(probability=None, acceptance=0.75)]
        return SimpleNamespace(labels=labels, images=images, diagnostics=() if self.labelled else told)

    def judge(self, images):
        return images[:, 0, 0, : len(self.graph.nodes)]

    def _images(self, noise, labels):
        images = noise[:, :, None, None].expand(-1, -1, self.side, self.side).clone()
        shown = labels.float() * torch.tensor([name not in self.blind for name in self.graph.nodes])
        images[:, :, 0, : labels.shape[1]] = shown[:, None]
        return images
