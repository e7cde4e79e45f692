"""Small recipes, networks and batches of noise for tests of one training step."""

import torch

from causalcf.runs.directory import networks_of
from causalcf.runs.recipe import Recipe
from causalcf.training.batches import Batch

CPU = torch.device("cpu")
SMALL = Recipe(width=4, labeler_width=4, noise_dim=6, batch=8, label_weight=0.7, anti_labeler_decay=320.0)


def draw_batch(n_labels, n=8, seed=0):
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 2, (2, n, n_labels), generator=draw, dtype=torch.int8)
    images = torch.rand(n, 3, 64, 64, generator=draw) * 2 - 1
    return Batch(images, labels[0], torch.rand(n, 6, generator=draw) * 2 - 1, labels[1])


def seeded():
    return torch.Generator().manual_seed(3)


def networks(recipe, n_labels, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return networks_of(recipe, n_labels)


ALL_OPTIONS = {
    "generator": "skip", "discriminator": "projection", "objective": "relativistic", "r1": None, "wrong_labels": 0.5,
    "rate_decay": 0.8, "ema_ramp": 0.05, "augment": True, "augment_probability": 0.5, "sampler": "rarest",
    "label_noise": 0.3, "noise_weight": 0.3, "reconstruction": 0.5,
}  # fmt: skip
