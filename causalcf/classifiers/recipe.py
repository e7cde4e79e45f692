"""The options of one classifier's training, validated once and saved with the classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal

from ..checks import SEEDS, check_options, option, option_names, require, with_new_names
from ..data import DATA_SIZE, SourceOptions, check_source
from ..errors import RecipeError, unknown

NetworkName = Literal["residual", "alexnet"]
LabelDistribution = Literal["uniform", "natural"]
Role = Literal["classifier", "judge", "features"]

LENGTHS: Mapping[str, int] = {"faces": 90_000, "celeba": 230_000, "folder": 120_000}  # images
# A judge shares neither network nor seed with the classifier that sees antecedents, or both may err alike.
OF_ROLE: Mapping[str, Mapping[str, Any]] = {
    "classifier": {"network": "alexnet", "seed": 0},
    "judge": {"network": "residual", "seed": 1},
    "features": {"network": "residual", "seed": 2, "noise": 0.0},  # noise augmentation makes blind to speckle
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
RENAMED: Mapping[str, tuple[str, Callable[[Any, Mapping[str, Any]], Any]]] = {
    "grain": ("noise", lambda value, values: value),
    "label_law": ("label_distribution", lambda value, values: {"coin": "uniform"}.get(value, value)),
    "runs": ("runs_dir", lambda value, values: value),
}


def _all_is_none(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None or list(names) == ["all"] else tuple(names)


@dataclass(frozen=True)
class ClassifierRecipe(SourceOptions):
    """The options of `python -m causalcf.classify`, with their defaults; None stands for what `resolved` fills in."""

    role: Role = option(
        "classifier",
        "classifier: finds antecedents in images of runs without labels, and answers questions; judge: measures in the "
        "evaluation; features: compares images by its features, and is trained without noise augmentation. Classifier "
        "and judge differ in network and seed, so that they do not share errors",
    )
    data_size: int = option(DATA_SIZE, "number of faces to render for training (faces only)", low=20, high=2**24)
    label_distribution: LabelDistribution | None = option(
        None,
        "faces only. uniform (default): all combinations of labels equally often, so that a moustache is no evidence "
        "of a man; natural: the distribution of the data",
    )
    network: NetworkName | None = option(
        None,
        "residual: four residual blocks, the default of judge and features; alexnet: AlexNet adapted to 64x64, the "
        "default of classifier",
    )
    attributes: tuple[str, ...] | None = option(
        None, "the attributes to learn; default: all of the data", nargs="+", metavar="NAME", parse=_all_is_none
    )
    images: int | None = option(
        None, "length of training in images; default: as many as suit two CPU cores", low=1, high=2**40
    )
    batch: int = option(128, "images in a step", low=2, high=2**16)
    width: int | None = option(
        None, "channels of the first layer, a multiple of 8; default: by network and data", low=1, high=1024
    )
    learning_rate: float | None = option(None, "peak rate of AdamW; default: the network's own", above=0)
    weight_decay: float | None = option(None, "weight decay of AdamW; default: by network and data", low=0)
    dropout: float | None = option(
        None, "share of the last features dropped in training; default: by network and data", low=0, below=1
    )
    balance: float = option(
        0.5,
        "0: every image has weight 1; 1: both values of an attribute have the same total weight; calibration undoes it",
        low=0,
        high=1,
    )
    noise: float | None = option(
        None,
        "noise augmentation: largest standard deviation of the noise on half of the images, pixels in [-1, 1]; against "
        "errors on speckle in generated images; 0: none. Default: 0.3; 0 for features",
        low=0,
        below=10,
    )
    patience: int = option(8, "evaluations (twentieths of the training) without improvement before it stops", low=1)
    seed: int | None = option(
        None, "seed of all random draws and of the held-out split; default: 0, judge 1, features 2", low=0, below=SEEDS
    )
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...")
    precision: Literal["auto", "bf16", "float32"] = option(
        "auto", "arithmetic of the convolutions in training; auto: bf16 if the processor or GPU has bf16 instructions"
    )
    runs_dir: str = option("runs", "folder of all classifiers' folders")

    _GROUPS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "data": (
            "data", "data_root", "data_size", "skip_missing", "crop", "label_distribution", "attributes", "balance",
            "noise",
        ),
        "network": ("role", "network", "width", "dropout"),
        "training": ("images", "batch", "learning_rate", "weight_decay", "patience", "seed", "device", "precision"),
        "run": ("runs_dir",),
    }  # fmt: skip
    _RENAMED = RENAMED

    def validate(self) -> ClassifierRecipe:
        """Return the recipe if every value is in range, else raise a `RecipeError`."""
        check_options(self)
        # Below 8 channels torch 2.14 crashes in the backward pass of the shortcuts' strided 1x1 convolutions on a CPU.
        require(self.width is None or self.width % 8 == 0, "width", self.width, "a multiple of 8")
        faces = self.data == "faces"
        check_source(self)
        allowed = f"natural or left out when data is {self.data}"
        require(faces or self.label_distribution != "uniform", "label_distribution", "uniform", allowed)
        names = self.attributes
        require(names is None or len(names) > 0, "attributes", names, "at least one name")
        require(names is None or len(set(names)) == len(names), "attributes", names, "a list without repetition")
        return self

    def resolved(self) -> ClassifierRecipe:
        """Return the recipe with all data-dependent defaults filled in, except `attributes`."""
        of_role = OF_ROLE[self.role]
        network = self.network or of_role["network"]
        on_these = USUAL_ON.get((network, self.data), {})
        usual: dict[str, Any] = {"images": LENGTHS[self.data], "noise": 0.3, **of_role, **USUAL[network], **on_these}
        missing = {name: value for name, value in usual.items() if getattr(self, name) is None}
        labels: LabelDistribution = "uniform" if self.data == "faces" else "natural"
        return replace(self, label_distribution=self.label_distribution or labels, **missing)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {**asdict(self), "attributes": None if self.attributes is None else list(self.attributes)}


def classifier_recipe(values: Mapping[str, Any], warn: bool = True) -> ClassifierRecipe:
    """Return a validated recipe from plain values, as `meta.json` (of any version, without warnings) holds them."""
    values = with_new_names(ClassifierRecipe, values, values, warn)
    for key in values:
        if key not in option_names(ClassifierRecipe):
            raise RecipeError(unknown("option", str(key), option_names(ClassifierRecipe)))
    listed = values.get("attributes")
    if listed is not None and not isinstance(listed, (list, tuple)):
        raise RecipeError(f"attributes is {listed!r}; it must be a list of names")
    names = _all_is_none(None if listed is None else list(listed))
    return ClassifierRecipe(**{**values, "attributes": names}).validate()
