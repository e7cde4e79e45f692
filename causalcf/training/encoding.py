"""Train an encoder for a finished run, whose generator stays as it is: first on generated pairs, then on photographs.
The encoder is stored beside the checkpoint, and is of that checkpoint alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..data.images import ImageData, to_symmetric, to_unit_interval
from ..errors import RunError
from ..io.files import replacing
from ..io.untrusted import read_tensors, rebuilding
from ..losses.reconstruction import multi_scale_l1
from ..networks.dcgan import Encoder
from ..networks.precision import autocast
from ..randomness import uniform_noise
from ..runs.abduction import encode
from ..runs.exported import write_state
from ..runs.loading import ENCODER
from ..runs.run import Run

UNFINISHED = "encoder.partial.pt"
BATCH = 32
RATE, LAST = 1e-3, 0.1  # of Adam; it falls by a cosine to this share
KEEP_EVERY = 4096  # images between two states that are kept


def generated_pairs(run: Run, labels: Tensor, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return n noises, rows of labels of the data, and the images that the generator draws from both, in [-1, 1]."""
    noise = uniform_noise(n, run.recipe.noise_dim, generator).to(run.device)
    rows = labels[torch.randint(len(labels), (n,), generator=generator)].float().to(run.device)
    with torch.no_grad(), autocast(run.device, run.precision):
        return noise, rows, run.generator(noise, rows).float().clamp(-1, 1)


def found_noise(run: Run, encoder: Encoder, images: Tensor, labels: Tensor) -> Tensor:
    """Return the (n, k) noise of (n, 3, 64, 64) images in [-1, 1] that the encoder finds likeliest."""
    with autocast(run.device, run.precision):
        return encode(encoder, (images + 1) / 2, labels)


def encoder_loss(
    run: Run, encoder: Encoder, pixels: Tensor, rows: Tensor, share: float, generator: torch.Generator
) -> Tensor:
    """Return the mean squared error of noise on generated pairs, and in the second half of the training also the
    multi-scale L1 distance of photographs (n, 3, 64, 64) in [-1, 1], drawn again, with their labels (n, d).
    """
    half = len(pixels) // 2
    n = len(pixels) if share < 0.5 else half
    noise, labels, images = generated_pairs(run, rows, n, generator)
    loss = (found_noise(run, encoder, images, labels) - noise).square().mean()
    if share < 0.5:
        return loss
    seen, own = pixels[half:], rows[half:].float().to(run.device)
    z = found_noise(run, encoder, seen, own)
    with autocast(run.device, run.precision):
        again = run.generator(z, own)
    return loss + multi_scale_l1(again, seen).mean()


def train_encoder(
    run: Run, data: ImageData, images: int, seed: int, on_images: Callable[[int], None] = lambda n: None
) -> Encoder:
    """Train an encoder on a run's own data, and write it into the run's folder; an interrupted training goes on.

    Raises:
        RunError: the folder holds an unfinished encoder of another training.
    """
    d = 0 if run.labels is None else len(run.graph.nodes)
    labels = data.select(run.graph.nodes) if d else torch.zeros(len(data), 0, dtype=torch.int8)
    draw = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        encoder = Encoder(run.recipe.noise_dim, d, run.recipe.labeler_width)
    encoder.to(run.device)
    adam = torch.optim.Adam(encoder.parameters(), RATE)
    path, settings = run.folder / UNFINISHED, {"step": run.step, "images": images, "seed": seed}
    done = _resume(path, settings, encoder, adam, draw)
    on_images(done)
    while done < images:
        share = done / images
        adam.param_groups[0]["lr"] = RATE * (LAST + (1 - LAST) * (1 + math.cos(math.pi * share)) / 2)
        index = torch.randint(len(data), (BATCH,), generator=draw)
        pixels = to_symmetric(data.batch(index)).to(run.device)
        if data.flip:
            turned = torch.rand(BATCH, generator=draw) < 0.5
            pixels[turned.to(run.device)] = pixels[turned.to(run.device)].flip(3)
        loss = encoder_loss(run, encoder, pixels, labels[index], share, draw)
        adam.zero_grad()
        loss.backward()
        adam.step()
        done += BATCH
        on_images(BATCH)
        if done // KEEP_EVERY > (done - BATCH) // KEEP_EVERY:
            state = {"encoder": encoder.state_dict(), "adam": adam.state_dict(), "draw": draw.get_state()}
            with replacing(path) as file:
                torch.save({**settings, "done": done, **state}, file)
    networks = {f"encoder.{name}": part.cpu() for name, part in encoder.state_dict().items()}
    write_state(run.folder / ENCODER, {**settings, "networks": networks})
    path.unlink(missing_ok=True)
    return encoder.eval().requires_grad_(False)


def _resume(
    path: Path, settings: Mapping[str, int], encoder: Encoder, adam: torch.optim.Adam, draw: torch.Generator
) -> int:
    """Load what an interrupted training of the same encoder left; return the number of images it has seen."""
    if not path.is_file():
        return 0
    with rebuilding(path):
        state = read_tensors(path)
    if {key: state.get(key) for key in settings} != settings:
        raise RunError(f"{path} is of an encoder with other options, or of another checkpoint; remove it to start anew")
    with rebuilding(path):
        encoder.load_state_dict(state["encoder"])
        adam.load_state_dict(state["adam"])
        draw.set_state(state["draw"])
        return int(state["done"])


@torch.no_grad()
def peak_ratio(run: Run, encoder: Encoder, data: ImageData, count: int = 500) -> float:
    """Return the mean PSNR in dB of the first `count` photographs, drawn again from the encoder's noise."""
    images = to_unit_interval(data.batch(torch.arange(min(count, len(data)))))
    labels = None if run.labels is None else data.select(run.graph.nodes)[: len(images)]
    rows = torch.zeros(len(images), 0) if labels is None else labels.float()
    noise = found_noise(run, encoder, (images * 2 - 1).to(run.device), rows.to(run.device)).cpu()
    error = (run.generate(noise, labels) - images).square().flatten(1).mean(1)
    return float((-10 * error.clamp(min=1e-10).log10()).mean())
