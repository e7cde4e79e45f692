"""A trained run, loaded: ask it for worlds under do() and given(), and for their counterfactuals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..arguments import check, check_count, check_floats
from ..bounded import rebuilding
from ..checkpoint import NAME, load_checkpoint
from ..classifiers import AttributeClassifier, load_classifier
from ..classifiers.classifier import check_images
from ..errors import RunError
from ..graph import CausalGraph
from ..graph_io import load_graph
from ..labels import LabelSCM
from ..networks.dcgan import Generator, Labeler
from ..networks.stored import with_weights
from ..noise import uniform_noise
from ..precision import autocast, choose_device
from ..recipe import Recipe
from ..run_state import check_state
from ..runs import find_run
from .conditional import sample_where
from .counterfactual import IMAGE, CounterfactualWorlds, Worlds, labelled_counterfactual
from .observed import Method
from .unlabelled import observed_counterfactual

CHUNK = 256  # images generated or read at a time


@dataclass(frozen=True)
class Run:
    """A trained run: its graph, its label generator, and its averaged generator.

    Args:
        labels: the label generator, or None for an approach without labels.
        labeler: the run's own reader of labels; None where there are none.
        observer: a classifier from outside, of the graph's nodes in their order; None where there is none.
        told_by: fingerprint of the classifier that the run was told its statements by; None where it was told none.

    Example:
        >>> run = load_run("runs/latest")                                          # doctest: +SKIP
        >>> worlds = run.sample(8, do={"Bald": 1})                                 # doctest: +SKIP
        >>> tuple(run.classify(worlds.images).shape) == tuple(worlds.labels.shape) # doctest: +SKIP
        True
    """

    folder: Path
    recipe: Recipe
    graph: CausalGraph
    labels: LabelSCM | None
    step: int
    generator: Generator
    labeler: Labeler | None
    observer: AttributeClassifier | None
    device: torch.device
    precision: str
    told_by: str | None = None

    def sample_noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """(n, k) noise, uniform on (-1, 1)."""
        return uniform_noise(n, self.recipe.noise_dim, generator)

    def sample(
        self,
        n: int,
        do: Mapping[str, int] | None = None,
        given: Mapping[str, int] | None = None,
        generator: torch.Generator | None = None,
        budget: int = 100_000,
        on_world: Callable[[int], None] = lambda n: None,
    ) -> Worlds:
        """Draws n worlds: labels from the label generator under do and given, noise from its prior, images from both.

        A run without labels takes `given` alone: noise is drawn until the classifier sees it in n images.

        Args:
            n: how many.
            do: interventions on labels.
            given: labels to condition on, exactly (in the intervened model where both are given).
            generator: the source of randomness, on the CPU.
            budget: noises that a run without labels may look at in all to find `given`.
            on_world: called with how many more of them are found, after every batch that was searched.

        Returns:
            Worlds, on the CPU. The noise is drawn first: the same seed gives the same noise under any do or given.

        Raises:
            RunError: do for a run without labels, or given for one that has no classifier either.
            ImpossibleWorldError: the condition has probability zero.
            UnreachedError: a run without labels shows `given` too seldom for the budget.
        """
        check_count("n", n, each=IMAGE)
        if self.labels is None:
            if do:
                raise RunError(f"{self.folder.name} is a dcgan run: it has no labels to set by do=; ask given=")
            return self._sample_seen(n, given, generator, budget, on_world)
        noise = self.sample_noise(n, generator)
        labels = self.labels.sample(n, do=do, given=given, generator=generator)
        return Worlds(noise, labels, self.generate(noise, labels))

    def counterfactual(
        self,
        worlds: Worlds,
        do: Mapping[str, int] | None = None,
        observe: Mapping[str, int] | None = None,
        stickiness: float = 1.0,
        draws: int = 1,
        generator: torch.Generator | None = None,
        noise_stickiness: float | None = None,
        method: str | Method = "smc",
        budget: int = 100_000,
        on_unit: Callable[[int], None] = lambda n: None,
    ) -> CounterfactualWorlds:
        """What these worlds would have been: labels by the exact label ESM, noise by ESM, images by the generator.

        Args:
            worlds: n actual worlds of this run.
            do: labels set by intervention in the counterfactual world.
            observe: labels found there, every equation intact.
            stickiness: probability that a noise is kept, in [0, 1]; 1 with `do` is Pearl's counterfactual.
            draws: m, draws for each unit.
            generator: the source of randomness, on the CPU.
            noise_stickiness: the image noise's own stickiness; by default the same.
            method, budget: how a run without labels searches its noise, as in `counterfactual_noise`.
            on_unit: called with 1 after each unit that was searched for.

        Returns:
            CounterfactualWorlds, on the CPU. A draw that changes neither noise nor labels has the actual image.

        Raises:
            ImpossibleWorldError: the antecedent cannot hold together with the facts.
            UnreachedError: a run without labels did not reach the antecedent within the budget.
            RunError: do for a run without labels, or no classifier to observe with.

        Source: Lucas and Kemp (2015).
        """
        check(isinstance(worlds, Worlds), "worlds", worlds, "worlds of this run, as sample gives them")
        check_count("draws", draws, each=len(worlds) * IMAGE)
        kept = stickiness if noise_stickiness is None else noise_stickiness
        if self.labels is not None:
            return labelled_counterfactual(
                self.labels, self.generate, worlds, do, observe, stickiness, kept, draws, generator
            )
        if do or not observe:
            raise RunError(f"{self.folder.name} is a dcgan run: its antecedent can only be observed; use observe=")
        classify, nodes = self._observer(), self.graph.nodes
        return observed_counterfactual(
            self.generate, classify, nodes, worlds, observe, kept, draws, generator, method, budget, on_unit
        )

    @torch.no_grad()
    def generate(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """(n, k) noise and (n, d) labels to (n, 3, 64, 64) images in [0, 1]; labels between 0 and 1 interpolate.

        A run without labels generates from noise alone.

        Raises:
            CausalCFError: another shape, noise that is not finite, or labels outside [0, 1].
        """
        k, d = self.recipe.noise_dim, len(self.graph.nodes)
        check_floats("noise", noise, (None, k), f"(n, {k})")
        check(bool(noise.isfinite().all()), "noise", noise, "finite")
        if self.labels is None:
            labels = torch.zeros(len(noise), 0)
        else:
            is_labels = isinstance(labels, Tensor) and tuple(labels.shape) == (len(noise), d)
            check(is_labels, "labels", labels, f"a tensor of shape ({len(noise)}, {d})")
            assert labels is not None
            check(bool(((labels >= 0) & (labels <= 1)).all()), "labels", labels, "in [0, 1]")
        images = []
        for z, row in zip(noise.split(CHUNK), labels.split(CHUNK), strict=True):
            with autocast(self.device, self.precision):
                images.append(self.generator(z.to(self.device), row.to(self.device)).float().cpu())
        return torch.cat(images).add(1).div(2).clamp(0, 1)

    @torch.no_grad()
    def classify(self, images: Tensor) -> Tensor:
        """(n, 3, 64, 64) images in [0, 1] to (n, d) probabilities, as read by the run's own Labeler.

        A run without labels has no Labeler; its outside classifier reads.

        Raises:
            RunError: there is neither.
        """
        if self.labeler is None:
            return self._observer()(images)
        check_images(images)
        readings = []
        for chunk in images.split(CHUNK):
            with autocast(self.device, self.precision):
                readings.append(self.labeler(chunk.to(self.device) * 2 - 1).float().sigmoid().cpu())
        return torch.cat(readings)

    def judge(self, images: Tensor) -> Tensor:
        """(n, d) probabilities from the outside classifier where there is one, else from the run's own Labeler."""
        return self.classify(images) if self.observer is None else self.observer(images)

    def _sample_seen(
        self,
        n: int,
        given: Mapping[str, int] | None,
        generator: torch.Generator | None,
        budget: int,
        on_world: Callable[[int], None],
    ) -> Worlds:
        if given:
            counts = [0]

            def told(found: int, evaluations: int) -> None:
                on_world(found - counts[-1])
                counts.append(found)

            found = sample_where(
                self.generate,
                self._observer(),
                given,
                n,
                attributes=self.graph.nodes,
                noise_dim=self.recipe.noise_dim,
                budget=budget,
                generator=generator,
                on_progress=told,
            )
            return Worlds(found.noise, (found.probabilities > 0.5).to(torch.int8), found.images)
        noise = self.sample_noise(n, generator)
        images = self.generate(noise)
        seen = self.observer.labels(images) if self.observer else torch.zeros(n, 0, dtype=torch.int8)
        return Worlds(noise, seen, images)

    def _observer(self) -> AttributeClassifier:
        if self.observer is None:
            raise RunError(
                f"{self.folder.name} is a dcgan run: it needs a classifier to see labels in images; train one with "
                f"python -m causalcf.classify --data {self.recipe.data}, or name one with classifier="
            )
        return self.observer


def load_run(
    path: str | Path = "runs/latest", device: str = "auto", classifier: str | Path | AttributeClassifier | None = None
) -> Run:
    """The run in a directory, at its latest checkpoint.

    Args:
        path: a run directory, or a link to one.
        device: where to generate.
        classifier: an outside reader of labels, or its folder; by default the newest one of the run's data that lies
            beside the run, if there is one.

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
    graph = load_graph(folder / "graph.yaml")
    with rebuilding(folder / NAME):
        recipe, scm = check_state(state, graph)
        n_labels = len(graph.nodes) if scm is not None else 0
        weights, told = state["networks"], state.get("telling")
        told_by = None if told is None else str(told["classifier"])
        generator = with_weights(
            lambda: Generator(recipe.noise_dim, n_labels, recipe.width, recipe.even_kernels), _part(weights, "average")
        )
        labeler = None
        if n_labels:
            labeler = with_weights(lambda: Labeler(n_labels, recipe.labeler_width), _part(weights, "labeler"))
    precision = state["precision"] if where.type == state["device"] else "float32"
    for net in (generator, labeler):
        if net is not None:
            net.to(where).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    observer = _observer_of(folder, recipe.data, graph, device, classifier)
    return Run(folder, recipe, graph, scm, state["step"], generator, labeler, observer, where, precision, told_by)


def _observer_of(
    folder: Path, data: str, graph: CausalGraph, device: str, classifier: str | Path | AttributeClassifier | None
) -> AttributeClassifier | None:
    """The outside classifier of the graph's nodes; one not asked for that does not read them all is left out."""
    beside = folder.parent / f"classifier-{data}"
    if classifier is None and not beside.exists():
        return None
    found = classifier if isinstance(classifier, AttributeClassifier) else load_classifier(classifier or beside, device)
    if classifier is None and not set(graph.nodes) <= set(found.attributes):
        return None
    return found.select(graph.nodes)


def _part(state: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
