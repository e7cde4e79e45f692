"""CausalBEGAN's training step: an autoencoder as discriminator, and margins that weigh the losses."""

from __future__ import annotations

import torch
from torch import Tensor

from ..distributed.batch import average_over_processes
from ..losses.equilibrium import label_error, margins, moved, reconstruction_error
from ..networks.bundle import update_ema
from .batches import Batch
from .step import Losses, TrainingStep, ema_decay


class BeganStep(TrainingStep):
    """One update of autoencoder, Labeler and generator, all by the same images and the margins' weights before it."""

    betas = (0.9, 0.999)

    def __call__(self, batch: Batch, step: int, generator: torch.Generator) -> Losses:
        networks, seen = self.networks, step * self.recipe.batch
        assert networks.labeler is not None
        of_image, of_label, of_generator = networks.margin_weights.clone()  # k, l and c
        for name, optimiser in self.optimisers.items():
            optimiser.param_groups[0]["lr"] = self._rate(name, seen)
        with self._autocast():
            fake = networks.generator(batch.noise, batch.fake_labels)
            leaf = fake.detach().requires_grad_()
            drawn, drawn_fake = networks.discriminator(batch.images), networks.discriminator(leaf)
            read, read_fake = networks.labeler(batch.images), networks.labeler(leaf)
        on_real = reconstruction_error(batch.images, drawn).mean(), label_error(read, batch.labels).mean()
        on_fake = reconstruction_error(leaf, drawn_fake).mean(), label_error(read_fake, batch.fake_labels).mean()
        by_image = self._descend("discriminator", on_real[0], on_fake[0], of_image, leaf)
        by_label = self._descend("labeler", on_real[1], on_fake[1], of_label, leaf)
        self.optimisers["generator"].zero_grad()
        fake.backward((by_image + of_generator * by_label).to(fake.dtype))
        average_over_processes(self._generator_gradients())
        losses: Losses = {}
        if self.constraint is not None:
            losses = self._constrain(self.constraint, batch, fake.detach(), step)
        self.optimisers["generator"].step()
        update_ema(networks.average, networks.generator, ema_decay(self.recipe, seen))
        errors = [on_real[0].detach(), on_fake[0].detach(), on_real[1].detach(), on_fake[1].detach()]
        average_over_processes(errors)
        margin = margins(*errors)
        networks.margin_weights.copy_(moved(networks.margin_weights, margin, self.recipe.batch))
        names = ("image_error_real", "image_error_fake", "label_error_real", "label_error_fake")
        losses |= dict(zip(names, errors, strict=True)) | {"k": of_image, "l": of_label, "c": of_generator}
        return losses | {"convergence": errors[0] + margin[0].abs()}

    def _descend(self, name: str, on_real: Tensor, on_fake: Tensor, weight: Tensor, leaf: Tensor) -> Tensor:
        """Update a network on on_real - weight * on_fake; return the gradient of on_fake by the generated images."""
        parameters = list(self.networks.get_submodule(name).parameters())
        by_real = torch.autograd.grad(on_real, parameters)
        *by_fake, by_image = torch.autograd.grad(on_fake, [*parameters, leaf])
        gradients = [ours - weight * theirs for ours, theirs in zip(by_real, by_fake, strict=True)]
        average_over_processes(gradients)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimisers[name].step()
        return by_image
