"""How alike two images are: structural similarity, and the distance of a judge's feature maps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, normalize

from ..classifiers.classifier import AttributeClassifier
from ..networks.readers import ResidualBlock

CHUNK = 128  # images whose feature maps are held at a time
WINDOW, SIGMA = 11, 1.5  # of the Gaussian window, in pixels
C1, C2 = 0.01**2, 0.03**2
Abduct = Callable[[Tensor], Tensor]  # (n, 3, h, w) photographs to the images that are drawn of them


def structural_similarity(first: Tensor, second: Tensor) -> Tensor:
    """Return the (n,) SSIM of (n, 3, h, w) images in [0, 1]: 1 for equal ones (Wang et al. 2004)."""
    place = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    line = torch.exp(-place.square() / (2 * SIGMA**2))
    window = torch.outer(line, line) / line.sum() ** 2

    def mean(images: Tensor) -> Tensor:
        flat = conv2d(images.flatten(0, 1)[:, None], window[None, None])
        return flat.unflatten(0, images.shape[:2]).squeeze(2)

    a, b = first.double(), second.double()
    of_a, of_b = mean(a), mean(b)
    spread_a, spread_b = mean(a * a) - of_a**2, mean(b * b) - of_b**2
    common = mean(a * b) - of_a * of_b
    alike = (2 * of_a * of_b + C1) * (2 * common + C2)
    return (alike / ((of_a**2 + of_b**2 + C1) * (spread_a + spread_b + C2))).flatten(1).mean(1)


def feature_distance(classifier: AttributeClassifier, first: Tensor, second: Tensor) -> Tensor:
    """Return the (n,) distance of feature maps, by LPIPS's formula without learned weights (Zhang et al. 2018).

    At each place of each map the channels are scaled to length 1; their squared difference is averaged over places, and
    summed over the maps: those after each rectifier and each residual block.
    """
    distances = []
    for some, others in zip(first.split(CHUNK), second.split(CHUNK), strict=True):
        pairs = zip(_maps(classifier, some), _maps(classifier, others), strict=True)
        apart = [(normalize(a) - normalize(b)).square().sum(1).flatten(1).mean(1) for a, b in pairs]
        distances.append(torch.stack(apart).mean(0) * len(apart) / (2 if classifier.mirror else 1))
    return torch.cat(distances)


def _maps(classifier: AttributeClassifier, images: Tensor) -> list[Tensor]:
    caught: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.ndim == 4:
            caught.append(output.float().cpu())

    stages = [part for part in classifier.network.modules() if isinstance(part, nn.ReLU | ResidualBlock)]
    hooks = [stage.register_forward_hook(keep) for stage in stages]
    try:
        classifier.logits(images)
    finally:
        for hook in hooks:
            hook.remove()
    return caught


def after_cycles(again: Abduct, images: Tensor, cycles: int) -> Tensor:
    """Return the (n,) mean absolute difference, of 255, of images that are abducted and drawn so many times."""
    seen = images
    for _ in range(cycles):
        seen = again(seen)
    return 255 * (seen - images).abs().flatten(1).mean(1)
