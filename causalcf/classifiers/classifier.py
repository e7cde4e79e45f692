"""A trained, calibrated classifier of attributes: images in, probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..arguments import as_names, check_floats
from ..errors import CausalCFError, unknown
from .calibration import Calibration

CHUNK = 256  # images read at a time
SIDE = 64  # pixels


@dataclass(frozen=True, eq=False)
class AttributeClassifier:
    """P(attribute = 1 | image) for each of d attributes; call it on images, or ask for differentiable log-odds.

    Where a mirrored image keeps its labels, the logits of an image and of its mirror image are averaged. An image is
    read alone: its batch-mates change nothing but the last bits of the arithmetic.

    Args:
        attributes: the d names, in the order of the columns.
        network: (n, 3, 64, 64) images in [-1, 1] to logits of at least these attributes; frozen, in evaluation mode.
        columns: where the network's logits of these attributes are.
        calibration: from logits to log-odds.
        base_rates: how often each attribute was 1 in the images learned from. Saying 1 where the probability exceeds it
            makes balanced accuracy greatest; saying 1 above one half makes accuracy greatest.
        mirror: whether mirror images are read too.
        architecture: the network's name and width, as `build_network` takes them.

    Example:
        >>> classify = load_classifier("celeba").select(["Male", "Smiling"])  # doctest: +SKIP
        >>> classify(torch.rand(5, 3, 64, 64)).shape                          # doctest: +SKIP
        torch.Size([5, 2])
    """

    attributes: tuple[str, ...]
    network: nn.Module
    columns: tuple[int, ...]
    calibration: Calibration
    base_rates: tuple[float, ...]
    mirror: bool
    architecture: tuple[str, int]

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Calibrated probabilities.

        Args:
            images: (n, 3, 64, 64) floats in [0, 1], on any device.

        Returns:
            (n, d) float32, on the CPU.

        Raises:
            CausalCFError: images of another shape, type or range.
        """
        return self.logits(images).sigmoid().cpu()

    def logits(self, images: Tensor) -> Tensor:
        """Calibrated log-odds, (n, d) float32 on the classifier's device, differentiable in the images.

        Raises:
            CausalCFError: images of another shape, type or range.
        """
        check_images(images)
        return torch.cat([self._read(part) for part in images.split(CHUNK)])

    def labels(self, images: Tensor) -> Tensor:
        """The likelier value of each attribute, (n, d) int8: 1 where the probability exceeds one half."""
        return (self(images) > 0.5).to(torch.int8)

    def select(self, names: Sequence[str]) -> AttributeClassifier:
        """The classifier of these attributes alone, in this order; the network is shared.

        Raises:
            CausalCFError: an attribute that it does not read; names the nearest.
        """
        names = as_names("names", names)
        for name in names:
            if name not in self.attributes:
                raise CausalCFError("this classifier: " + unknown("attribute", name, self.attributes))
        places = [self.attributes.index(name) for name in names]
        return replace(
            self,
            attributes=tuple(names),
            columns=tuple(self.columns[i] for i in places),
            calibration=self.calibration.select(places),
            base_rates=tuple(self.base_rates[i] for i in places),
        )

    def _read(self, images: Tensor) -> Tensor:
        scaled = images.to(self.device, torch.float32).mul(2).sub(1).contiguous(memory_format=torch.channels_last)
        return self.calibration.log_odds(raw_logits(self.network, scaled, self.mirror)[:, list(self.columns)])


def raw_logits(network: nn.Module, images: Tensor, mirror: bool) -> Tensor:
    """The network's own logits of (n, 3, 64, 64) images in [-1, 1], averaged with the mirror image's where asked."""
    logits = network(images)
    return (logits + network(images.flip(3))) / 2 if mirror else logits


def check_images(images: Tensor) -> None:
    """Refuse what are no (n, 3, 64, 64) floats in [0, 1].

    Raises:
        CausalCFError: says what was found.
    """
    check_floats("images", images, (None, 3, SIDE, SIDE), f"(n, 3, {SIDE}, {SIDE})")
    if len(images) == 0:
        return
    low, high = images.detach().aminmax()
    if not (float(low) >= -1e-4 and float(high) <= 1 + 1e-4):  # also false for NaN
        raise CausalCFError(f"images have values from {float(low):.3g} to {float(high):.3g}; expected [0, 1]")
