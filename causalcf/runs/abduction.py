"""Abduction from pixels: the noise z of a photograph x = G(z, labels) + residual, by an encoder, by descent, by tuning.
Everything here takes images in [0, 1] and is differentiable; `Run.abduct` puts it together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import conv2d, pad

from ..checks import check, check_choice, check_floats
from ..errors import CausalCFError, ImpossibleWorldError
from ..labels import LabelSCM
from ..labels.evidence import as_labels, assignment
from ..losses.reconstruction import multi_scale_l1
from ..networks.bundle import AnyGenerator
from ..networks.dcgan import Encoder
from ..randomness import uniform_noise
from ..worlds.samplers import shape_of

METHODS = ("encoder", "optimise", "tune")
Decode = Callable[[Tensor], Tensor]  # (n, k) noise to (n, 3, h, w) images in [0, 1]
Weights = dict[str, Tensor]

STEPS, RATE = 100, 0.05  # of Adam on arctanh(z)
TRIES = 64  # random noises, the nearest of which is the start where there is no encoder
CYCLE = 0.1  # weight of |z - E(G(z))|^2, so that the encoder finds z again (Zhu et al. 2020)
NORMAL = 1e-3  # weight of the squared noise, where its prior is normal
LARGEST = 0.999  # of a noise that descent starts from: arctanh(1) is infinite
TUNING_STEPS, TUNING_RATE, TUNING_BETAS = 120, 8e-3, (0.9, 0.99)
STRANGERS = 4  # random faces that tuning leaves as they are
DRAWS = 100  # of a photograph's labels, until the label model allows them
FADING = 0.1  # of the mask: the blurred change of a pixel, in [0, 1], that leaves 1/e of the residual there


def encode(encoder: Encoder, images: Tensor, labels: Tensor) -> Tensor:
    """Return the (n, k) noise of (n, 3, 64, 64) images with (n, d) labels that the encoder finds likeliest."""
    mean, _ = encoder(images * 2 - 1, labels)
    return torch.erf(mean / math.sqrt(2))


def nearest_of(decode: Decode, images: Tensor, draws: Tensor) -> Tensor:
    """Return for each of n images the nearest of (t, n, k) noises."""
    distances = torch.stack([multi_scale_l1(decode(z), images) for z in draws])
    return draws[distances.argmin(0), torch.arange(len(images), device=draws.device)]


def optimise_noise(
    decode: Decode,
    images: Tensor,
    start: Tensor,
    encode: Decode | None = None,
    prior: str = "uniform",
    steps: int = STEPS,
) -> Tensor:
    """Find noise whose generated images are near the given images, by gradient descent from `start`.

    For each image the noise with the least loss of all steps is returned.

    Args:
        decode: any generator, (n, k) noise to (n, 3, h, w) images in [0, 1]: differentiable, and in evaluation mode, so
            that no image depends on the others.
        images: (n, 3, h, w) in [0, 1].
        start: (n, k) noise.
        encode: maps images to noise. With it, the loss also has the distance between z and encode(decode(z)).
        prior: "uniform" on (-1, 1), or "normal".
        steps: of Adam, at least 0; on arctanh of uniform noise.

    Returns:
        (n, k), on the device of `start`.

    Raises:
        CausalCFError: another shape, type or range; images of `decode` that do not depend on the noise.

    Sources: iGAN (Zhu et al. 2016); the term of the encoder: in-domain inversion (Zhu et al. 2020).

    Examples:
        >>> lines = torch.randn(5, 3 * 8 * 8, generator=torch.Generator().manual_seed(0)) / 20
        >>> decode = lambda z: (z @ lines + 0.5).unflatten(1, (3, 8, 8))
        >>> truth = torch.tensor([[0.5, -0.5, 0.0, 0.2, 0.7]])
        >>> found = optimise_noise(decode, decode(truth), torch.zeros(1, 5))
        >>> bool((found - truth).abs().max() < 0.02)
        True
    """
    check_floats("images", images, (None, 3, None, None), "(n, 3, h, w)")
    check_floats("start", start, (len(images), None), f"({len(images)}, k)")
    check_choice("prior", prior, ("uniform", "normal"))
    check(type(steps) is int and steps >= 0, "steps", steps, "a whole number, at least 0")
    uniform = prior == "uniform"
    check(bool(start.isfinite().all()), "start", start, "finite")
    check(not uniform or bool((start.abs() <= 1).all()), "start", start, "in [-1, 1], as uniform noise is")
    inner = torch.atanh(start.clamp(-LARGEST, LARGEST)) if uniform else start.clone()
    free = inner.detach().requires_grad_()
    adam = torch.optim.Adam([free], RATE)
    best, least = start.clone(), torch.full((len(images),), math.inf, device=start.device)
    for step in range(steps + 1):
        z = free.tanh() if uniform else free
        made = decode(z)
        if made.shape != images.shape or not made.requires_grad:
            raise CausalCFError(f"decode gave {shape_of(made)}; it must give {tuple(images.shape)}, by the noise")
        loss = multi_scale_l1(made, images)
        if encode is not None:
            loss = loss + CYCLE * (z - encode(made)).square().mean(1)
        if not uniform:
            loss = loss + NORMAL * z.square().mean(1)
        better = loss.detach() < least
        best[better], least[better] = z.detach()[better], loss.detach()[better]
        if step < steps:
            (free.grad,) = torch.autograd.grad(loss.sum(), free)
            adam.step()
    return best


def tune(generator: AnyGenerator, noise: Tensor, labels: Tensor, image: Tensor, strangers: Tensor) -> Weights:
    """Return weights of the generator's last layers with which it draws one photograph.

    What a flip of each label changes stays as it was, and so do the `strangers`: other faces with random labels.

    Args:
        noise, labels, image: (k,), (d,) and (3, 64, 64) in [0, 1].
        strangers: (s, k) noise.

    Source: pivotal tuning (Roich et al. 2021); holding the effects of the labels is defined here.
    """
    d = len(labels)
    flips = labels.float().repeat(d + 1, 1)
    flips[torch.arange(d) + 1, torch.arange(d)] = 1 - flips[0]
    others = flips[torch.arange(len(strangers), device=flips.device) % (d + 1)]
    inputs = torch.cat([noise.repeat(d + 1, 1), strangers]), torch.cat([flips, others])
    before = generator(*inputs)
    effects = before[1 : d + 1] - before[0]
    tuned = {
        name: weight.detach().clone().requires_grad_()
        for name, weight in generator.named_parameters()
        if name.startswith(generator.last_layers)
    }
    adam = torch.optim.Adam(tuned.values(), TUNING_RATE, TUNING_BETAS)
    for _ in range(TUNING_STEPS):
        made = functional_call(generator, tuned, inputs)
        terms = [multi_scale_l1(made[:1], image[None] * 2 - 1), multi_scale_l1(made[d + 1 :], before[d + 1 :])]
        if d:
            terms.append(multi_scale_l1(made[1 : d + 1] - made[0], effects))
        gradients = torch.autograd.grad(torch.stack([term.mean() for term in terms]).sum(), list(tuned.values()))
        for weight, gradient in zip(tuned.values(), gradients, strict=True):
            weight.grad = gradient
        adam.step()
    return {name: weight.detach() for name, weight in tuned.items()}


def abduct_noise(
    generator: AnyGenerator,
    encoder: Encoder | None,
    images: Tensor,
    labels: Tensor,
    method: str,
    random: torch.Generator,
    on_image: Callable[[int], None],
) -> tuple[Tensor, list[Weights]]:
    """Return (n, k) noise of (n, 3, 64, 64) images with (n, d) labels; for "tune" also weights for each image."""
    device, k = next(generator.parameters()).device, generator.noise_dim
    there, given = images.to(device), labels.to(device)
    reader = None if encoder is None else partial(encode, encoder, labels=given)

    def decode(noise: Tensor) -> Tensor:
        return (generator(noise, given) + 1) / 2

    with torch.no_grad():
        if reader is not None:
            noise = reader(there)
        else:
            draws = [uniform_noise(len(images), k, random) for _ in range(TRIES)]
            noise = nearest_of(decode, there, torch.stack(draws).to(device))
    if method != "encoder":
        noise = optimise_noise(decode, there, noise, reader, steps=STEPS)
    tuned = []
    if method == "tune":
        for z, row, image in zip(noise, given, there, strict=True):
            strangers = uniform_noise(STRANGERS, k, random).to(device)
            tuned.append({name: part.cpu() for name, part in tune(generator, z, row, image, strangers).items()})
            on_image(1)
    else:
        on_image(len(images))
    return noise.cpu(), tuned


def draw_labels(read: Tensor, scm: LabelSCM | None, names: tuple[str, ...], random: torch.Generator) -> Tensor:
    """Draw (n, d) int8 labels from (n, d) probabilities, each by itself, but none that the label model excludes."""
    drawn = (torch.rand(read.shape, generator=random) < read).to(torch.int8)
    if scm is None:
        return drawn
    for _ in range(DRAWS):
        impossible = scm.log_probability(drawn).isinf()
        if not bool(impossible.any()):
            return drawn
        again = torch.rand(int(impossible.sum()), read.shape[1], generator=random) < read[impossible]
        drawn[impossible] = again.to(torch.int8)
    row = int(impossible.nonzero()[0, 0])
    said = ", ".join(f"{name}={value}" for name, value in zip(names, drawn[row].tolist(), strict=True))
    raise ImpossibleWorldError(
        f"photograph {row + 1} of {len(read)}: its labels are read as {said}, which the label model says is "
        "impossible; give labels="
    )


def labels_of(
    images: Tensor,
    labels: Mapping[str, int] | Tensor | None,
    names: tuple[str, ...],
    read: Callable[[Tensor], Tensor],
    scm: LabelSCM | None,
    random: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Return (n, d) int8 labels of photographs, given or drawn as they are read, and how surely each was read."""
    n = len(images)
    if labels is not None and not isinstance(labels, Mapping):
        given = as_labels(labels, names)
        check(len(given) == n, "labels", f"labels of {len(given)} photographs", f"labels of {n}")
        return given, torch.ones(given.shape)
    fixed = assignment(names, "labels", labels)
    found = torch.zeros(n, len(names)) if len(fixed) == len(names) else read(images).clone()
    for column, value in fixed.items():
        found[:, column] = value.float()
    drawn = draw_labels(found, scm, names, random)
    return drawn, torch.where(drawn.bool(), found, 1 - found)


def residual_mask(before: Tensor, after: Tensor) -> Tensor:
    """Return (n, 1, h, w): 1 where two generated images agree, falling to 0 where they differ.

    It keeps an old mouth from showing through a new one. Blurred by a 5x5 binomial kernel.
    """
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=after.device) / 16
    apart = (after - before).abs().mean(1, keepdim=True)
    blurred = conv2d(pad(apart, (2, 2, 2, 2), "replicate"), torch.outer(row, row)[None, None])
    return torch.exp(-blurred / FADING)
