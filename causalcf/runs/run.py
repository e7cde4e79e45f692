"""A loaded run: samples worlds under do() and given(), and their counterfactuals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.func import functional_call

from ..checks import check, check_choice, check_count, check_floats
from ..classifiers.classifier import AttributeClassifier, check_images, data_caveat
from ..data.images import DataSource
from ..errors import CausalCFError, RunError
from ..graph.graph import CausalGraph
from ..labels import LabelSCM
from ..networks.bundle import AnyGenerator
from ..networks.dcgan import Encoder, Labeler
from ..networks.precision import autocast
from ..randomness import fresh, uniform_noise
from ..worlds.condition import Antecedent
from ..worlds.conditional import sample_where
from ..worlds.observed import Method, counterfactual_noise
from ..worlds.samplers import shape_of
from .abduction import METHODS, Weights, abduct_noise, labels_of
from .counterfactual import (
    IMAGE,
    CounterfactualWorlds,
    Worlds,
    keep_or_generate,
    labelled_counterfactual,
    with_residual,
)
from .directory import beside
from .recipe import Recipe

CHUNK = 256  # images generated or read at a time


@dataclass(frozen=True)
class Run:
    """Trained run: its graph, its label generator, and its image generator with EMA weights.

    Args:
        labels: the label generator, or None for an approach without labels.
        labeler: the run's own label classifier; None in a run without labels.
        antecedent_classifier: finds labels in images; its columns are the graph's nodes, in their order. None if there
            is none.
        constraint_classifier: fingerprint of the classifier of the statement constraints; None without constraints.
        trained_on: the data of the training.
        encoder: finds the noise of images; None if the run has none. `python -m causalcf.encode` trains one later.

    Examples:
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
    generator: AnyGenerator
    labeler: Labeler | None
    antecedent_classifier: AttributeClassifier | None
    device: torch.device
    precision: str
    constraint_classifier: str | None = None
    trained_on: DataSource | None = None
    encoder: Encoder | None = None

    @property
    def caveat(self) -> str:
        """Return a sentence if the antecedent classifier was trained on other data than the run, else ""."""
        if self.antecedent_classifier is None or self.trained_on is None:
            return ""
        name, owner = "the classifier of the images", self.folder.name
        return data_caveat(self.antecedent_classifier, name, self.trained_on, owner)

    @property
    def beside(self) -> Path:
        """Return the folder of the run's classifiers and judges: where it lies, or ./runs for a run of the package."""
        return beside(self.folder, self.recipe)

    def sample_noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw (n, k) noise, uniform on (-t, t); t is the recipe's `noise_range`."""
        return uniform_noise(n, self.recipe.noise_dim, generator) * self.recipe.noise_range

    def sample(
        self,
        n: int,
        do: Mapping[str, int] | None = None,
        given: Mapping[str, int] | None = None,
        generator: torch.Generator | None = None,
        budget: int = 100_000,
        on_world: Callable[[int], None] = lambda n: None,
    ) -> Worlds:
        """Sample n worlds: labels from the label generator under do and given, noise from its prior, images from both.

        A run without labels accepts `given` only. It draws noise until `given` holds in n images by its antecedent
        classifier.

        Args:
            n: number of worlds.
            do: interventions on labels.
            given: labels to condition on, exactly. With both, the condition holds in the intervened model.
            generator: the source of randomness, on the CPU.
            budget: maximum number of noises that a run without labels tries to find `given`.
            on_world: called after every batch of this search, with the number of newly found worlds.

        Returns:
            Worlds, on the CPU. The noise is drawn first: in a run with labels, the same seed gives the same noise under
            any do or given.

        Raises:
            RunError: do for a run without labels, or given for such a run without an antecedent classifier.
            ImpossibleWorldError: the condition has probability zero.
            UnreachedError: a run without labels found `given` too rarely within the budget.
        """
        check_count("n", n, each=IMAGE)
        if self.labels is None and do:
            raise RunError(f"{self.folder.name} is a dcgan run: it has no labels to set by do=; ask given=")
        if self.labels is None and given:
            return self._search(n, given, generator, budget, on_world)
        noise, classify = self.sample_noise(n, generator), self.antecedent_classifier
        if self.labels is not None:
            labels = self.labels.sample(n, do=do, given=given, generator=generator)
            return Worlds(noise, labels, self.generate(noise, labels))
        images = self.generate(noise)
        seen = torch.zeros(n, 0, dtype=torch.int8) if classify is None else classify.labels(images)
        return Worlds(noise, seen, images)

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
        """Draw counterfactuals of these worlds: labels by the exact label ESM, noise by ESM, images by the generator.

        Args:
            worlds: n actual worlds of this run.
            do: labels set by intervention in the counterfactual world.
            observe: labels observed in the counterfactual world; all structural equations stay intact.
            stickiness: probability that a noise is kept, in [0, 1]; 1 with `do` is Pearl's counterfactual.
            draws: m, the number of draws for each unit.
            generator: the source of randomness, on the CPU.
            noise_stickiness: a separate stickiness for the image noise; None means the same as `stickiness`.
            method, budget: how a run without labels searches its noise, as in `counterfactual_noise`.
            on_unit: called with 1 after each unit of this search.

        Returns:
            CounterfactualWorlds, on the CPU. A draw that changes neither noise nor labels has the actual image.

        Raises:
            ImpossibleWorldError: the antecedent cannot hold together with the facts.
            UnreachedError: a run without labels did not reach the antecedent within the budget.
            RunError: do for a run without labels, or such a run has no antecedent classifier.

        Source: Lucas and Kemp (2015).
        """
        check(isinstance(worlds, Worlds), "worlds", worlds, "worlds of this run, as sample gives them")
        check_floats("worlds.noise", worlds.noise, (None, self.recipe.noise_dim), f"(n, {self.recipe.noise_dim})")
        check(bool((worlds.noise.abs() <= 1).all()), "worlds.noise", worlds.noise, "in [-1, 1], as noise is")
        check_images(worlds.images)
        rows = [len(part) for part in vars(worlds).values() if isinstance(part, Tensor) or part]
        check(min(rows) == max(rows) > 0, "worlds", rows, "as many noises as labels and images, at least one")
        check_count("draws", draws, each=len(worlds) * IMAGE)
        kept = stickiness if noise_stickiness is None else noise_stickiness
        if self.labels is not None:
            generate = partial(self._of_units, worlds)
            return labelled_counterfactual(
                self.labels, generate, self.sample_noise, worlds, do, observe, stickiness, kept, draws, generator
            )
        if do or not observe:
            raise RunError(f"{self.folder.name} is a dcgan run: its antecedent can only be observed; use observe=")
        classify, drawn = self._antecedent_classifier(), []
        search = partial(
            counterfactual_noise,
            attributes=self.graph.nodes,
            per="dimension" if worlds.residual is None else "vector",
            budget=budget,
            generator=generator,
        )
        for i, z in enumerate(worlds.noise):
            drawn.append(search(z, partial(self._of_unit, worlds, i), classify, observe, draws, kept, method))
            on_unit(1)
        noise = torch.stack([found.noise for found in drawn])
        same = (noise == worlds.noise[:, None]).all(2)
        unit = (~same).nonzero()[:, 0]
        images = keep_or_generate(worlds.images, same, lambda: self._of_units(worlds, unit, noise[~same]))
        read = classify(images.flatten(0, 1))
        holds = Antecedent(self.graph.nodes, observe, 0.5).holds(read)
        for row in (~holds).nonzero().flatten().tolist():  # by rounding: it holds where the draw is generated alone
            at = divmod(row, draws)
            if not same[at]:
                images[at] = self._of_unit(worlds, at[0], noise[at][None])[0]
            read[row] = classify(images[at][None])[0]
        labels = (read > 0.5).to(torch.int8).view(*same.shape, -1)
        return CounterfactualWorlds(noise, labels, images, tuple(found.diagnostics for found in drawn))

    def abduct(
        self,
        images: Tensor,
        labels: Mapping[str, int] | Tensor | None = None,
        method: str = "encoder",
        generator: torch.Generator | None = None,
        on_image: Callable[[int], None] = lambda n: None,
    ) -> Worlds:
        """Find the worlds of photographs: their noise, their labels and their residual.

        `run.counterfactual(worlds, do=...)` then gives the counterfactuals of the photographs. With stickiness 1 a null
        intervention returns the photograph bit for bit.

        Args:
            images: (n, 3, 64, 64) photographs in [0, 1], cut like the images of the training.
            labels: (n, d) 0/1, or a mapping by name for all photographs alike. Labels that are not given are read by
                the antecedent classifier, else by the run's own Labeler, and drawn from the probabilities it gives.
            method: "encoder": the run's encoder alone. "optimise": 100 steps of descent on the noise, from the
                encoder's, or without one from the nearest of 64 random noises. "tune": then 120 steps on the
                generator's last layers, for each photograph by itself.
            generator: the source of randomness, on the CPU, for labels that are drawn and for random noise.
            on_image: called with the number of photographs that were newly found.

        Returns:
            Worlds, on the CPU, with residual and certainty.

        Raises:
            RunError: method "encoder" for a run without an encoder, or nothing reads the labels.
            CausalCFError: another shape, type or range.
            ImpossibleWorldError: no labels that the label model allows were drawn for a photograph.

        Sources: VAE/GAN (Larsen et al. 2016), iGAN (Zhu et al. 2016), pivotal tuning (Roich et al. 2021); the residual
        as in Pawlowski et al. (2020).

        Examples:
            >>> worlds = load_run("runs/latest").abduct(photographs)               # doctest: +SKIP
            >>> run.counterfactual(worlds, do={"Mustache": 1}).images              # doctest: +SKIP
        """
        check_images(images)
        check(len(images) > 0, "images", "0 photographs", "at least one")
        check_choice("method", method, METHODS)
        if method == "encoder" and self.encoder is None:
            raise RunError(
                f"{self.folder.name} has no encoder; make one with python -m causalcf.encode {self.folder}, or take "
                'method="optimise", which needs none'
            )
        random = fresh(generator)
        facts, certainty = self.read_labels(images, labels, random)
        rows = torch.zeros(len(images), 0) if self.labels is None else facts
        noise, tuned = [], []
        for some, row in zip(images.split(CHUNK), rows.split(CHUNK), strict=True):
            found = abduct_noise(self.generator, self.encoder, some.float(), row.float(), method, random, on_image)
            noise.append(found[0])
            tuned += found[1]
        worlds = Worlds(torch.cat(noise), facts, images, None, certainty, tuple(tuned))
        own = self._of_units(worlds, torch.arange(len(images)), worlds.noise, None if self.labels is None else facts)
        return replace(worlds, residual=images - own)

    def read_labels(
        self, images: Tensor, labels: Mapping[str, int] | Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return (n, d) int8 labels of photographs, and the probability by which each was read, as `abduct` does."""
        check_images(images)
        return labels_of(images, labels, self.graph.nodes, self.judge, self.labels, fresh(generator))

    def _of_unit(self, worlds: Worlds, unit: int, noise: Tensor) -> Tensor:
        """Return images of one unit of a run without labels."""
        return self._of_units(worlds, torch.full((len(noise),), unit), noise)

    def _of_units(self, worlds: Worlds, unit: Tensor, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return (u, 3, 64, 64) images of these units in other worlds, by their own weights, with residuals."""
        if not worlds.tuned:
            made = self.generate(noise, labels)
        else:
            made = torch.empty(len(unit), *worlds.images.shape[1:])
            for i in unit.unique().tolist():
                mine = unit == i
                own = None if labels is None else labels[mine]
                made[mine] = self.generate(noise[mine], own, worlds.tuned[i])
        return with_residual(worlds, unit, noise, made)

    @torch.no_grad()
    def generate(self, noise: Tensor, labels: Tensor | None = None, tuned: Weights | None = None) -> Tensor:
        """Generate (n, 3, 64, 64) images in [0, 1] from (n, k) noise and (n, d) labels, of any type of number.

        Labels between 0 and 1 interpolate. A run without labels generates from noise alone. `tuned` replaces some of
        the generator's weights.

        Raises:
            CausalCFError: another shape, noise that is not finite, or labels outside [0, 1].
        """
        k, d = self.recipe.noise_dim, len(self.graph.nodes)
        check_floats("noise", noise, (None, k), f"(n, {k})")
        check(bool(noise.isfinite().all()), "noise", noise, "finite")
        if self.labels is None:
            labels = torch.zeros(len(noise), 0)
        else:
            if not isinstance(labels, Tensor) or labels.shape != (len(noise), d) or labels.is_complex():
                raise CausalCFError(
                    f"labels are {shape_of(labels)}; expected real numbers of shape ({len(noise)}, {d})"
                )
            for i, j in (~((labels >= 0) & (labels <= 1))).nonzero()[:1].tolist():
                check(False, f"{self.graph.nodes[j]}, in row {i} of labels,", labels[i, j].item(), "in [0, 1]")
        own = {name: part.to(self.device) for name, part in (tuned or {}).items()}
        images = []
        for z, row in zip(noise.split(CHUNK), labels.split(CHUNK), strict=True):
            with autocast(self.device, self.precision):
                given = tuple(part.to(self.device, torch.float32) for part in (z, row))
                made = functional_call(self.generator, own, given) if own else self.generator(*given)
                images.append(made.float().cpu())
        return torch.cat(images).add(1).div(2).clamp(0, 1)

    @torch.no_grad()
    def classify(self, images: Tensor) -> Tensor:
        """Return (n, d) probabilities of (n, 3, 64, 64) images in [0, 1], any floats, by the run's own Labeler.

        A run without labels has no Labeler; its antecedent classifier gives the probabilities.

        Raises:
            RunError: the run has neither.
        """
        if self.labeler is None:
            return self._antecedent_classifier()(images)
        check_images(images)
        readings = []
        for chunk in images.split(CHUNK):
            with autocast(self.device, self.precision):
                readings.append(self.labeler(chunk.to(self.device, torch.float32) * 2 - 1).float().sigmoid().cpu())
        return torch.cat(readings)

    def judge(self, images: Tensor) -> Tensor:
        """Return (n, d) probabilities by the antecedent classifier if there is one, else by the run's own Labeler."""
        return self.classify(images) if self.antecedent_classifier is None else self.antecedent_classifier(images)

    def _search(
        self,
        n: int,
        given: Mapping[str, int],
        generator: torch.Generator | None,
        budget: int,
        on_world: Callable[[int], None],
    ) -> Worlds:
        """Draw noise until `given` holds in n images by the antecedent classifier."""
        counts = [0]

        def progress(found: int, evaluations: int) -> None:
            on_world(found - counts[-1])
            counts.append(found)

        search = partial(sample_where, attributes=self.graph.nodes, noise_dim=self.recipe.noise_dim, budget=budget)
        classify = self._antecedent_classifier()
        found = search(self.generate, classify, given, n, generator=generator, on_progress=progress)
        return Worlds(found.noise, (found.probabilities > 0.5).to(torch.int8), found.images)

    def _antecedent_classifier(self) -> AttributeClassifier:
        if self.antecedent_classifier is None:
            raise RunError(
                f"{self.folder.name} is a dcgan run: it needs a classifier to see labels in images; train one with "
                f"python -m causalcf.classify --data {self.recipe.data}, or name one with --classifier (classifier=)"
            )
        return self.antecedent_classifier
