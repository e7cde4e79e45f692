"""A trained run, loaded: ask it for worlds under do() and given()."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoint import load_checkpoint
from ..errors import RunError
from ..graph import CausalGraph
from ..graph_io import load_graph
from ..labels import LabelSCM
from ..networks.dcgan import Generator, Labeler
from ..noise import uniform_noise
from ..precision import autocast, choose_device
from ..recipe import Recipe, recipe_from_dict
from ..runs import find_run

CHUNK = 256  # images generated or read at a time


@dataclass(frozen=True)
class Worlds:
    """n actual worlds: noise (n, k), labels (n, d) int8, images (n, 3, 64, 64) in [0, 1]."""

    noise: Tensor
    labels: Tensor
    images: Tensor


@dataclass(frozen=True)
class Run:
    """A trained run: its graph, its label generator, and its averaged generator.

    Args:
        labels: the label generator, or None for an approach without labels.
    """

    folder: Path
    recipe: Recipe
    graph: CausalGraph
    labels: LabelSCM | None
    step: int
    generator: Generator
    labeler: Labeler | None
    device: torch.device
    precision: str

    def sample_noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """(n, k) noise, uniform on (-1, 1)."""
        return uniform_noise(n, self.recipe.noise_dim, generator)

    def sample(
        self,
        n: int,
        do: dict[str, int] | None = None,
        given: dict[str, int] | None = None,
        generator: torch.Generator | None = None,
    ) -> Worlds:
        """Draws n worlds: labels from the label generator under do and given, noise from its prior, images from both.

        Args:
            n: how many.
            do: interventions on labels.
            given: labels to condition on, exactly (in the intervened model where both are given).
            generator: the source of randomness, on the CPU.

        Returns:
            Worlds, on the CPU. The noise is drawn first: the same seed gives the same noise under any do or given.

        Raises:
            RunError: do or given for a run without labels.
            ImpossibleWorldError: the condition has probability zero.
        """
        noise = self.sample_noise(n, generator)
        if self.labels is None:
            if do or given:
                raise RunError(f"{self.folder.name} is a dcgan run: it has no labels to ask do= or given= of")
            labels = torch.zeros(n, 0, dtype=torch.int8)
        else:
            labels = self.labels.sample(n, do=do, given=given, generator=generator)
        return Worlds(noise, labels, self.generate(noise, labels))

    @torch.no_grad()
    def generate(self, noise: Tensor, labels: Tensor) -> Tensor:
        """(n, k) noise and (n, d) labels to (n, 3, 64, 64) images in [0, 1]; labels between 0 and 1 interpolate."""
        images = []
        for z, row in zip(noise.split(CHUNK), labels.split(CHUNK), strict=True):
            with autocast(self.device, self.precision):
                images.append(self.generator(z.to(self.device), row.to(self.device)).float().cpu())
        return torch.cat(images).add(1).div(2).clamp(0, 1)

    @torch.no_grad()
    def classify(self, images: Tensor) -> Tensor:
        """(n, 3, 64, 64) images in [0, 1] to (n, d) probabilities, as read by the run's own Labeler.

        Raises:
            RunError: the run has no Labeler.
        """
        if self.labeler is None:
            raise RunError(f"{self.folder.name} is a dcgan run: it has no Labeler to read images with")
        readings = []
        for chunk in images.split(CHUNK):
            with autocast(self.device, self.precision):
                readings.append(self.labeler(chunk.to(self.device) * 2 - 1).float().sigmoid().cpu())
        return torch.cat(readings)


def load_run(path: str | Path = "runs/latest", device: str = "auto") -> Run:
    """The run in a directory, at its latest checkpoint.

    Args:
        path: a run directory, or a link to one.
        device: where to generate.

    Raises:
        RunError: no directory, no checkpoint, or an unreadable one.

    Example:
        >>> run = load_run("runs/latest")                                    # doctest: +SKIP
        >>> run.sample(8, do={"Bald": 1}).images.shape                       # doctest: +SKIP
        torch.Size([8, 3, 64, 64])
    """
    folder = find_run(path)
    where = choose_device(device)
    state = load_checkpoint(folder, where)
    recipe = recipe_from_dict(state["recipe"])
    graph = load_graph(folder / "graph.yaml")
    scm = LabelSCM.from_state(state["labels"]) if state["labels"] is not None else None
    n_labels = len(graph.nodes) if scm is not None else 0
    generator = Generator(recipe.noise_dim, n_labels, recipe.width)
    generator.load_state_dict(_part(state["networks"], "average"))
    labeler = None
    if n_labels:
        labeler = Labeler(n_labels, recipe.labeler_width)
        labeler.load_state_dict(_part(state["networks"], "labeler"))
    precision = state["precision"] if where.type == state["device"] else "float32"
    for net in (generator, labeler):
        if net is not None:
            net.to(where).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    return Run(folder, recipe, graph, scm, state["step"], generator, labeler, where, precision)


def _part(state: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
