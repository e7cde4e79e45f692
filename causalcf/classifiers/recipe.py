"""The options of one classifier's training, validated once and saved with the classifier."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from ..checks import MAX, SEEDS, check_types, option, require
from ..data import Data
from ..errors import RecipeError, unknown

NetworkName = Literal["residual", "alexnet"]
LabelLaw = Literal["coin", "natural"]
Role = Literal["classifier", "judge"]

LENGTHS: Mapping[str, int] = {"faces": 90_000, "celeba": 230_000, "folder": 120_000}  # images
# A judge shares neither network nor seed with the classifier that sees antecedents, or both may err alike.
OF_ROLE: Mapping[str, Mapping[str, Any]] = {
    "classifier": {"network": "alexnet", "seed": 0},
    "judge": {"network": "residual", "seed": 1},
}
USUAL: Mapping[str, Mapping[str, float]] = {
    "residual": {"width": 32, "learning_rate": 3e-3, "weight_decay": 0.05, "dropout": 0.2},
    "alexnet": {"width": 32, "learning_rate": 1e-3, "weight_decay": 0.05, "dropout": 0.5},
}
# On 12,000 photographs the residual network learns for twice as long if it is held back more: a quarter of an hour on
# two cores with bf16 instructions.
USUAL_ON: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("residual", "faces"): {"width": 24},
    ("residual", "celeba"): {"images": 460_000, "weight_decay": 0.2, "dropout": 0.3},
}


@dataclass(frozen=True)
class ClassifierRecipe:
    """Options of `python -m causalcf.classify` with their defaults; `resolved` fills in each None."""

    role: Role = option(
        "classifier",
        "classifier: sees antecedents in images of runs without labels, and answers questions; judge: what evaluation "
        "reads with, to be trained apart from it, with another network and seed",
    )
    data: Data = option("faces", "image source: rendered faces, CelebA, or a folder of images with a CSV of labels")
    data_root: str | None = option(None, "folder of the images (celeba, folder)")
    data_size: int = option(20_000, "how many faces are rendered to learn from (faces only)")
    label_law: LabelLaw | None = option(
        None,
        "faces only: coin (default) learns from faces with every combination of labels equally often, so that a "
        "moustache is no proof of a man; natural learns from the law of the data",
    )
    network: NetworkName | None = option(
        None,
        "residual: four residual blocks, the default of a judge; alexnet: AlexNet adapted to 64x64, the default of a "
        "classifier",
    )
    attributes: tuple[str, ...] | None = option(None, "what it reads; every attribute of the data unless named")
    images: int | None = option(None, "length of training in images seen; by default as many as suit two CPU cores")
    batch: int = option(128, "images a step")
    width: int | None = option(None, "channels of the first layer, a multiple of 8; by default the network's own")
    learning_rate: float | None = option(None, "AdamW's rate at its peak; by default the network's own")
    weight_decay: float | None = option(
        None, "AdamW's pull of the weights towards 0; by default what suits network and data"
    )
    dropout: float | None = option(
        None, "share of the last features left out in training, in [0, 1); by default what suits network and data"
    )
    balance: float = option(
        0.5, "0: every image counts alike; 1: both values of an attribute weigh the same; undone after training"
    )
    grain: float = option(
        0.3,
        "greatest standard deviation, of pixels in [-1, 1], of the grain laid over half of the images learned from, so "
        "that speckle in generated images misleads it less; 0: none",
    )
    patience: int = option(8, "twentieths of the training without improvement on held-out images before it stops")
    seed: int | None = option(
        None, "seed of every random draw, and of what is held out, in [0, 2^32); by default 0, of a judge 1"
    )
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...")
    precision: Literal["auto", "bf16", "float32"] = option(
        "auto", "arithmetic of the convolutions in training; auto: bf16 where the processor has it"
    )
    runs: str = option("runs", "folder that the classifier's own folder goes into")

    def validate(self) -> ClassifierRecipe:
        """Return the recipe itself, or raise a `RecipeError` that names the first option out of range."""
        check_types(self, RecipeError)
        least = {"data_size": 20, "images": 1, "batch": 2, "patience": 1}
        for name, low in least.items():
            value = getattr(self, name)
            require(value is None or value >= low, name, value, f"at least {low}")
        for name in ("data_size", "images", "batch", "width"):
            value = getattr(self, name)
            require(value is None or value <= MAX[name], name, value, f"at most {MAX[name]:,}")
        # Below 8 channels torch 2.14 crashes in the backward pass of the shortcuts' strided 1x1 convolutions on a CPU.
        require(self.width is None or (self.width > 0 and self.width % 8 == 0), "width", self.width, "a multiple of 8")
        rate = self.learning_rate
        require(rate is None or (math.isfinite(rate) and rate > 0), "learning_rate", rate, "a finite number above 0")
        decay, dropout = self.weight_decay, self.dropout
        require(
            decay is None or (math.isfinite(decay) and decay >= 0), "weight_decay", decay, "a finite number, 0 or more"
        )
        require(dropout is None or 0 <= dropout < 1, "dropout", dropout, "in [0, 1)")
        require(0 <= self.balance <= 1, "balance", self.balance, "in [0, 1]")
        require(0 <= self.grain < 10, "grain", self.grain, "in [0, 10)")
        require(self.seed is None or 0 <= self.seed < SEEDS, "seed", self.seed, "in [0, 2^32)")
        faces = self.data == "faces"
        require(faces or self.data_root is not None, "data_root", None, f"set when data is {self.data}")
        require(not faces or self.data_root is None, "data_root", self.data_root, "left out for faces")
        require(faces or self.label_law != "coin", "label_law", "coin", f"natural or left out when data is {self.data}")
        require(self.attributes is None or len(self.attributes) > 0, "attributes", self.attributes, "at least one name")
        return self

    def resolved(self) -> ClassifierRecipe:
        """Return the recipe with the defaults that depend on other options; `attributes` may stay None."""
        of_role = OF_ROLE[self.role]
        network = self.network or of_role["network"]
        on_these = USUAL_ON.get((network, self.data), {})
        usual: dict[str, Any] = {"images": LENGTHS[self.data], **of_role, **USUAL[network], **on_these}
        missing = {name: value for name, value in usual.items() if getattr(self, name) is None}
        label_law = self.label_law or ("coin" if self.data == "faces" else "natural")
        return replace(self, label_law=label_law, **missing)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "attributes": None if self.attributes is None else list(self.attributes)}


def option_names() -> list[str]:
    return [f.name for f in fields(ClassifierRecipe)]


def classifier_recipe(values: Mapping[str, Any]) -> ClassifierRecipe:
    """Build a validated recipe from plain values; an unknown key is an error that names the nearest."""
    for key in values:
        if key not in option_names():
            raise RecipeError(unknown("option", str(key), option_names()))
    listed = values.get("attributes")
    if listed is not None and not isinstance(listed, (list, tuple)):
        raise RecipeError(f"attributes is {listed!r}; it must be a list of names")
    attributes = None if listed is None else tuple(listed)
    return ClassifierRecipe(**{**values, "attributes": attributes}).validate()
