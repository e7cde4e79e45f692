"""One training step, for all approaches: D, Labeler, Anti-Labeler, Q-network (InfoGAN) and encoder, then G.
G's loss: adversarial + Labeler - k_t * Anti-Labeler (CausalGAN, eq. 5) + noise error + reconstruction + constraints.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from ..constraints.constraint import StatementConstraint
from ..distributed.batch import average_over_processes, own_share, share_batch_norm, take_first, whole_batch
from ..distributed.group import size
from ..losses.adversarial import objective, squared_gradient_norm
from ..losses.labels import anti_labeler_weight, label_cross_entropy, noise_error
from ..losses.reconstruction import KL_WEIGHT, divergence_from_standard, multi_scale_l1
from ..networks.bundle import Networks, update_ema
from ..networks.dcgan import noise_of
from ..networks.precision import autocast
from ..runs.recipe import Recipe
from .batches import Batch, augmented, with_label_noise, with_one_flipped

Losses = dict[str, Tensor]

R1_EVERY = 8  # steps
LOWEST = 0.1  # of the learning rates' factor, at the end
# Of D's loss by a fake logit: far below what moves D, far above what float32 rounds to 0, where G would learn nothing.
MIN_SLOPE = 1e-20


@dataclass
class TrainingStep:
    """One update of all networks; a call returns the mean losses as tensors on the device."""

    networks: Networks
    recipe: Recipe
    device: torch.device
    precision: str
    constraint: StatementConstraint | None = None
    nodes: Sequence[str] = ()
    betas: ClassVar[tuple[float, float]] = (0.5, 0.999)
    optimisers: dict[str, torch.optim.Adam] = field(init=False)
    bound: slice | list[int] = field(init=False)  # the labels that the Labelers hold the generator to

    def __post_init__(self) -> None:
        self.bound = slice(None)
        if self.constraint is not None and self.recipe.statement_release:
            spoken_of = self.constraint.consequents
            self.bound = [i for i, name in enumerate(self.nodes) if name not in spoken_of]
        share_batch_norm(self.networks.generator)
        self.objective = objective(self.recipe.objective)
        self.optimisers = {}
        for name, net in self.networks.named_children():
            if name != "average":
                self.optimisers[name] = torch.optim.Adam(net.parameters(), self._rate(name), self.betas, fused=True)

    def __call__(self, batch: Batch, step: int, generator: torch.Generator) -> Losses:
        seen = step * self.recipe.batch
        for name, optimiser in self.optimisers.items():
            optimiser.param_groups[0]["lr"] = self._rate(name, seen)
        with self._autocast():
            fake = self.networks.generator(batch.noise, batch.fake_labels)
        shown = self._shown(fake, generator)
        leaf = shown.detach().requires_grad_()
        views = replace(batch, images=self._shown(batch.images, generator))
        adversarial = self._shared_pass if self.objective.shares_pass else self._two_passes
        losses, image_gradient = adversarial(views, leaf, step, generator)
        if self.networks.labeler is not None:
            label_losses, label_gradient = self._labels(views, leaf, step, generator)
            losses, image_gradient = losses | label_losses, image_gradient + label_gradient
        if self.networks.noise_reader is not None:
            noise_losses, noise_gradient = self._noise(views, leaf)
            losses, image_gradient = losses | noise_losses, image_gradient + noise_gradient
        self.optimisers["generator"].zero_grad()
        shown.backward(image_gradient.to(shown.dtype))
        if self.networks.encoder is not None:
            losses |= self._reconstruct(batch, image_gradient, generator)
        average_over_processes(self._generator_gradients())
        if self.constraint is not None:
            losses |= self._constrain(self.constraint, batch, fake.detach(), step)
        self.optimisers["generator"].step()
        update_ema(self.networks.average, self.networks.generator, ema_decay(self.recipe, seen))
        return losses

    def _rate(self, name: str, images: int = 0) -> float:
        """Return a network's learning rate in the step after `images` images."""
        rate = self.recipe.generator_rate if name == "generator" else self.recipe.learning_rate
        return rate * rate_factor(self.recipe, images)

    def _shown(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the images as the networks see them: augmented views if the recipe says so."""
        return augmented(images, generator, self.recipe.augment_probability) if self.recipe.augment else images

    def _generator_gradients(self) -> list[Tensor]:
        return [weight.grad for weight in self.networks.generator.parameters() if weight.grad is not None]

    def _constrain(self, constraint: StatementConstraint, batch: Batch, images: Tensor, step: int) -> Losses:
        """Add the constraint gradient of the whole batch; all processes take the first one's."""
        if not constraint.due(step):
            return constraint.losses()
        losses = constraint(self.networks.generator, step, whole_batch(batch.noise), whole_batch(images))
        take_first(self._generator_gradients())
        return losses

    def _autocast(self) -> torch.autocast:
        return autocast(self.device, self.precision)

    def _judge(self, images: Tensor, labels: Tensor, wrong: Tensor | None = None) -> Tensor:
        with self._autocast():
            return self.networks.discriminator(images, labels, wrong).float()

    def _wrong_labels(self, batch: Batch, generator: torch.Generator) -> Tensor | None:
        """Return the real images' labels with one flipped, if such pairs count as fakes."""
        shown = self.recipe.wrong_labels > 0 and batch.labels.shape[1] > 0
        return with_one_flipped(batch.labels, generator) if shown else None

    def _discriminator_terms(self, real: Tensor, fake: Tensor, wrong: Tensor) -> Losses:
        """Return D's terms from logits; `wrong` are those of real images with wrong labels, (0,) if none are shown."""
        terms = self.objective.discriminator(real, fake)
        if len(wrong):
            terms["wrong_labels"] = self.recipe.wrong_labels * self.objective.on_fake(real, wrong)
        return terms

    def _shared_pass(self, batch: Batch, leaf: Tensor, step: int, generator: torch.Generator) -> tuple[Losses, Tensor]:
        """Update D; return G's adversarial gradient by image: dL_D/dx * (dL_G/df) / (dL_D/df)."""
        images, labels = torch.cat([batch.images, leaf]), torch.cat([batch.labels, batch.fake_labels])
        logits = self._judge(images, labels, self._wrong_labels(batch, generator))
        real, fake, wrong = logits.tensor_split((len(leaf), 2 * len(leaf)))
        terms = merged(self._discriminator_terms(real, fake, wrong), self._lazy_penalty(batch, leaf, step))
        slopes = []

        def keep(slope: Tensor) -> Tensor:
            slopes.append(slope.clamp(min=MIN_SLOPE))
            return slopes[0]

        fake.register_hook(keep)
        (gradient,) = self._learn("discriminator", total(terms), leaf)
        logits = fake.detach().requires_grad_()
        ours = self.objective.generator(real.detach(), logits)
        (wanted,) = torch.autograd.grad(total(ours), logits)
        return _means(terms | ours), gradient * (wanted / slopes[0])[:, None, None, None]

    def _two_passes(self, batch: Batch, leaf: Tensor, step: int, generator: torch.Generator) -> tuple[Losses, Tensor]:
        """Update D on detached images, then return G's adversarial gradient by image, through the new D."""
        reals, fakes = (batch.images, batch.labels), (leaf.detach(), batch.fake_labels)
        real, wrong = self._judge(*reals, self._wrong_labels(batch, generator)).tensor_split((len(leaf),))
        fake = self._judge(*fakes)
        penalty = self.objective.penalty(self.networks.discriminator, reals, fakes, generator)
        terms = merged(self._discriminator_terms(real, fake, wrong), penalty, self._lazy_penalty(batch, leaf, step))
        self._learn("discriminator", total(terms))
        ours = self.objective.generator(real.detach(), self._judge(leaf, batch.fake_labels))
        (gradient,) = torch.autograd.grad(total(ours), leaf)
        return _means(terms | ours), gradient

    def _lazy_penalty(self, batch: Batch, leaf: Tensor, step: int) -> Losses:
        """Return R1 on real images, and R2 if asked for, every 8 steps, times 8 (Karras et al. 2020), in float32."""
        if self.recipe.r1_weight == 0 or step % R1_EVERY:
            return {}
        images, labels = batch.images, batch.labels
        if self.objective.penalises_fakes:
            images, labels = torch.cat([images, leaf]), torch.cat([labels, batch.fake_labels])
        images = images.detach().requires_grad_()
        norm = squared_gradient_norm(self.networks.discriminator(images, labels), images)
        penalties = (R1_EVERY * self.recipe.r1_weight / 2 * norm).split(len(leaf))
        return dict(zip(("r1", "r2"), penalties, strict=False))

    def _labels(self, batch: Batch, leaf: Tensor, step: int, generator: torch.Generator) -> tuple[Losses, Tensor]:
        """Update Labeler and Anti-Labeler; return the gradient of G's label terms by each generated image."""
        labeler, anti_labeler = self.networks.labeler, self.networks.anti_labeler
        assert labeler is not None and anti_labeler is not None
        real, fake, noise = batch.images, leaf, self.recipe.label_noise
        if noise:
            real, fake = with_label_noise(real, noise, generator), with_label_noise(fake, noise, generator)
        seen = fake.detach().requires_grad_()
        with self._autocast():
            on_real = label_cross_entropy(labeler(real), batch.labels)
            bound = batch.fake_labels[:, self.bound]
            on_fake = label_cross_entropy(labeler(seen)[:, self.bound], bound)
            anti_on_fake = label_cross_entropy(anti_labeler(seen)[:, self.bound], bound)
        (by_labeler,) = torch.autograd.grad(on_fake.mean(), seen)
        (by_anti_labeler,) = self._learn("anti_labeler", anti_on_fake.mean(), seen)
        self._learn("labeler", on_real.mean())
        k = anti_labeler_weight(step * self.recipe.batch, self.recipe.anti_labeler_decay)
        terms = {"labeler_real": on_real, "labeler_fake": on_fake, "anti_labeler_fake": anti_on_fake}
        by_seen = self.recipe.label_weight * (by_labeler - k * by_anti_labeler)
        return _means(terms), torch.autograd.grad(fake, leaf, by_seen)[0]

    def _noise(self, batch: Batch, leaf: Tensor) -> tuple[Losses, Tensor]:
        """Update the Q-network; return the gradient of G's noise term by each generated image."""
        assert self.networks.noise_reader is not None
        with self._autocast():
            error = noise_error(self.networks.noise_reader(leaf), batch.noise)
        (gradient,) = self._learn("noise_reader", error.mean(), leaf)
        return _means({"noise_error": error}), self.recipe.noise_weight * gradient

    def _reconstruct(self, batch: Batch, image_gradient: Tensor, generator: torch.Generator) -> Losses:
        """Update the encoder, and add G's gradient of the same loss.
        It is scaled so that its norm on images is `reconstruction` times that of the rest.
        """
        assert self.networks.encoder is not None
        normal = torch.randn(size() * len(batch.images), self.recipe.noise_dim, generator=generator)
        with self._autocast():
            mean, log_variance = self.networks.encoder(batch.images, batch.labels)
            noise = noise_of(mean, log_variance, own_share(normal).to(self.device))
            made = self.networks.generator(noise, batch.labels)
        divergence = KL_WEIGHT * divergence_from_standard(mean, log_variance)
        terms = {"reconstruction": multi_scale_l1(made, batch.images), "divergence": divergence}
        weights = list(self.networks.generator.parameters())
        by_made, *by_weight = self._learn("encoder", total(terms), made, *weights)
        squares = torch.stack([part.float().square().sum() for part in (image_gradient, by_made)])
        average_over_processes([squares])
        scale = self.recipe.reconstruction * (squares[0] / squares[1].clamp(min=torch.finfo(torch.float32).tiny)).sqrt()
        for weight, gradient in zip(weights, by_weight, strict=True):
            assert weight.grad is not None
            weight.grad.add_(gradient * scale)
        return _means(terms)

    def _learn(self, name: str, loss: Tensor, *others: Tensor) -> Sequence[Tensor]:
        """Update one network on its own loss; return the loss's gradients by the others before the update."""
        optimiser = self.optimisers[name]
        weights = optimiser.param_groups[0]["params"]
        gradients = torch.autograd.grad(loss, [*weights, *others])
        average_over_processes(gradients[: len(weights)])
        for weight, gradient in zip(weights, gradients, strict=False):
            weight.grad = gradient
        optimiser.step()
        return gradients[len(weights) :]


def merged(*parts: Losses) -> Losses:
    """Return all terms together; two of one name are a ValueError, as one would hide the other."""
    terms: Losses = {}
    for name, term in (pair for part in parts for pair in part.items()):
        if name in terms:
            raise ValueError(f"two loss terms are both called {name}")
        terms[name] = term
    return terms


def total(terms: dict[str, Tensor]) -> Tensor:
    """Return the sum of the batch means of all terms."""
    return torch.stack([term.mean() for term in terms.values()]).sum()


def _means(terms: dict[str, Tensor]) -> Losses:
    return {name: term.detach().mean() for name, term in terms.items()}


def rate_factor(recipe: Recipe, images: int) -> float:
    """Return what all learning rates are multiplied by in the step after `images` images: along a cosine to a tenth."""
    falling = recipe.rate_decay * recipe.images
    passed = (images - (recipe.images - falling)) / falling if falling else 0.0
    return (1 + LOWEST) / 2 + (1 - LOWEST) / 2 * math.cos(math.pi * min(max(passed, 0.0), 1.0))


def ema_decay(recipe: Recipe, images: int) -> float:
    """Return the decay of the EMA weights in the step after `images` images, which may limit their half-life."""
    half_life = min(recipe.ema_half_life, recipe.ema_ramp * images) if recipe.ema_ramp else recipe.ema_half_life
    return 0.5 ** (recipe.batch / half_life) if half_life else 0.0
