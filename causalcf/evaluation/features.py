"""The features that the judge reads attributes from: the space in which images are compared."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..classifiers.classifier import AttributeClassifier
from ..errors import CausalCFError


def extractor_name(classifier: AttributeClassifier) -> str:
    """How figures name the extractor, as in FD(judge residual 24): the judge's network and width.

    Two judges of one network and width have other weights: compare only figures that one trained judge gave.

    Example:
        >>> extractor_name(judge)  # doctest: +SKIP
        'judge residual 24'
    """
    network, width = classifier.architecture
    return f"judge {network} {width}"


@torch.no_grad()
def judge_features(classifier: AttributeClassifier, images: Tensor) -> Tensor:
    """The penultimate features of the judge's network: what its last linear layer reads.

    Images go the way they go when attributes are read: in chunks, and averaged with the mirror image's features where
    the classifier reads mirror images too (the last layer is linear, so that the logits are those of these features).

    Args:
        classifier: the judge; which of its attributes are selected changes nothing.
        images: (n, 3, 64, 64) floats in [0, 1], on any device.

    Returns:
        (n, f) float64, on the CPU; an image's features do not depend on its batch-mates beyond the last bits.

    Raises:
        CausalCFError: images of another shape, type or range; a network without a linear layer.

    Source: the place of the features follows Heusel et al. (2017), the network is the judge in place of Inception.
    """
    linear = [module for module in classifier.network.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise CausalCFError(f"{extractor_name(classifier)}: the network has no linear layer whose input to compare")
    caught: list[Tensor] = []
    hook = linear[-1].register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0].double().cpu()))
    try:
        classifier.logits(images)
    finally:
        hook.remove()
    if not classifier.mirror:
        return torch.cat(caught)
    return (torch.cat(caught[0::2]) + torch.cat(caught[1::2])) / 2  # each chunk is followed by its mirror image
