"""Training recipe: every option that determines a run, validated once and saved with the run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from ..checks import SEEDS, check_options, option, option_names, require, with_new_names
from ..data import SourceOptions, check_source
from ..errors import RecipeError, unknown
from ..io.untrusted import MAX_TENSORS, MAX_TICKS

APPROACHES = ("causalgan", "causalbegan", "conditional", "dcgan")
Approach = Literal["causalgan", "causalbegan", "conditional", "dcgan"]
# What CausalBEGAN has no use for: its networks and its losses are its own.
NOT_OF_BEGAN = (
    "generator", "discriminator", "even_kernels", "objective", "r1", "wrong_labels", "reconstruction", "label_weight",
    "noise_weight", "label_noise", "anti_labeler_decay", "augment", "augment_probability", "statement_release",
)  # fmt: skip
# Stickiness where none is asked for: Pearl's counterfactual for do; for observe what Lucas and Kemp (2015) fit.
STICKINESS = {"do": 1.0, "observe": 0.53}
STATEMENT_OPTIONS = (
    "statement_share",
    "statement_rate",
    "statement_damping",
    "statement_slack",
    "contrast_weight",
    "calibration_weight",
    "keep_weight",
    "null_weight",
)
UNCOMPARED = ("keep", "runs_dir")  # where and how much is kept: nothing that the training itself depends on
LabelMethod = Literal["likelihood", "adversarial"]
R1_WEIGHTS = {"wgan-gp": 0.0, "relativistic": 1.0}  # where none is given; elsewhere 0.3
ObjectiveName = Literal["non-saturating", "hinge", "least-squares", "wgan-gp", "relativistic"]


def _half_life(decay: Any, values: Mapping[str, Any]) -> float:
    """Turn an EMA decay per step into a half-life in images."""
    if not isinstance(decay, (int, float)) or not 0 <= decay < 1:
        raise RecipeError(f"{decay!r} is not in [0, 1)")
    return float(f"{_batch(values) * math.log(0.5) / math.log(decay):.5g}") if decay else 0.0


def _in_images(steps: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(steps, bool) or not isinstance(steps, (int, float)):
        raise RecipeError(f"{steps!r} is no number of steps")
    return steps * _batch(values)


def _batch(values: Mapping[str, Any]) -> int:
    batch = values.get("batch", 32)
    return batch if isinstance(batch, int) else 32


def _as_tuple(names: Any) -> Any:
    return tuple(names) if isinstance(names, list) else names


def _same(value: Any, values: Mapping[str, Any]) -> Any:
    return value


RENAMED: Mapping[str, tuple[str, Callable[[Any, Mapping[str, Any]], Any]]] = {
    "start": ("init_from", _same),
    "label_grain": ("label_noise", _same),
    "anti_decay": ("anti_labeler_decay", _in_images),
    "average": ("ema_half_life", _half_life),
    "statement_every": ("statement_interval", _in_images),
    "runs": ("runs_dir", _same),
}


@dataclass(frozen=True)
class Recipe(SourceOptions):
    """The options of `python -m causalcf.train`, with their defaults.

    Lengths, intervals and half-lives count images, so that they do not depend on the batch size.

    Examples:
        >>> recipe = Recipe(approach="dcgan", images=50_000)
        >>> recipe.validate().to_dict()["approach"], recipe.batch == Recipe().batch
        ('dcgan', True)
    """

    name: str = option("faces", "name of the recipe; it becomes part of the run directory's name")
    graph: str = option("celeba", "causal graph: a YAML file or the name of a preset")
    approach: Approach = option(
        "causalgan",
        "causalgan; causalbegan: an autoencoder as discriminator; conditional: causalgan with labels from a graph "
        "without edges; dcgan: no labels",
    )
    generator_labels: tuple[str, ...] | None = option(
        None,
        "give the generator only these labels; name all their causes, too. Without names: the graph's roots. The noise "
        "decides the other labels. Default: all labels of the graph",
        nargs="*",
        metavar="NAME",
        parse=_as_tuple,
    )
    labels: LabelMethod = option("likelihood", "how to fit the label generator")
    objective: ObjectiveName = option("non-saturating", "adversarial objective")
    images: int = option(90_112, "length of training, in real images", low=1, high=2**40)
    batch: int = option(32, "images in a step", low=2, high=2**16)
    width: int = option(32, "channels at 32x32 of generator and discriminator (64 in the papers)", low=1, high=1024)
    labeler_width: int = option(16, "channels at 32x32 of Labeler and Anti-Labeler", low=1, high=1024)
    generator: Literal["dcgan", "skip"] = option(
        "dcgan", "dcgan, or skip: even kernels, a stage at 64x64, image skips, and norms steered by labels and noise"
    )
    discriminator: Literal["dcgan", "projection"] = option(
        "dcgan", "dcgan: labels as planes, group norm; projection: no norm, and logits that add up label by label"
    )
    noise_dim: int = option(100, "coordinates of z, uniform on (-1, 1)", low=1, high=2**16)
    learning_rate: float = option(2e-4, "Adam's rate for all networks but the generator", above=0)
    generator_rate: float = option(4e-4, "Adam's rate for the generator", above=0)
    rate_decay: float = option(
        0.0, "share of the training, at its end, over which all rates fall along a cosine to a tenth", low=0, high=1
    )
    label_weight: float = option(1.0, "weight of the label terms in the generator's loss", low=0)
    noise_weight: float = option(
        0.0, "weight of the InfoGAN loss, which predicts z from G(z) and reduces mode collapse; 0: none", low=0
    )
    wrong_labels: float = option(
        0.0,
        "weight of real images with one label flipped, as fakes in the discriminator's loss; without labels: none",
        low=0,
    )
    reconstruction: float = option(
        0.0,
        "train an encoder, too, and let the generator reconstruct real images from its noise. The value is the norm of "
        "this gradient, as a multiple of the norm of the generator's other gradients; 0: no encoder",
        low=0,
    )
    r1: float | None = option(
        None,
        "weight of the gradient penalty on real images (R1), for relativistic on generated ones too (R2), applied "
        "every 8 steps. Default: 0.3; 1 for relativistic; 0 (none) for wgan-gp, which has a penalty of its own",
        low=0,
    )
    anti_labeler_decay: float = option(
        16_000.0, "images over which the weight of the Anti-Labeler's loss falls by a factor of e", above=0
    )
    balance: float = option(
        0.7,
        "rows are drawn with weight (frequency of their label combination)^-balance; 0, and without labels: uniformly",
        low=0,
        high=1,
    )
    sampler: Literal["combination", "rarest"] = option(
        "combination",
        "whose frequency counts in balance: that of the combination, or of its rarest single label. Under combination "
        "and a balance above 0 only combinations that the data have are generated in training",
    )
    augment: bool = option(
        False, "shift images by pixels and change brightness and contrast, anew in each step; for small data sets"
    )
    augment_probability: float = option(1.0, "share of the images that augment changes", low=0, high=1)
    label_noise: float = option(
        0.0, "largest standard deviation of the noise on images that the Labelers see; pixels lie in [-1, 1]", low=0
    )
    even_kernels: bool = option(
        False, "constrain the generator's kernels to weigh neighbouring pixels equally: no checkerboard"
    )
    ema_half_life: float = option(
        4_425.0, "half-life of the generator's EMA weights, in images; all samples use them", low=0
    )
    ema_ramp: float = option(
        0.0,
        "half-life of the EMA weights is at most this share of the images seen (0.05 in StyleGAN2-ADA); 0: no limit",
        low=0,
    )
    truncation: float = option(
        1.0,
        "draw the noise of samples and counterfactuals from (-truncation, truncation). Training draws from (-1, 1). "
        "Below 1 faces are cleaner, and of fewer kinds. Without labels it is always 1: rare labels lie at the edge",
        above=0,
        high=1,
    )
    init_from: str | None = option(
        None, "run to start from: its weights, optimisers and random state; its images count towards --images"
    )
    statements: str | None = option(
        None, "statement constraints: a YAML file, or a preset of eval/statements such as faces-true"
    )
    statement_classifier: str | None = option(
        None, "classifier that the constraints use, never the judge. Default: the newest of the data in --runs-dir"
    )
    statement_stickiness: float | None = option(
        None,
        "probability that a noise is kept in their counterfactuals. Default: 1 with labels, 0.53 without",
        low=0,
        high=1,
    )
    statement_from: int = option(
        16_384, "images before the constraints start; early samples are too poor to classify", low=0, high=2**40
    )
    statement_interval: int = option(
        128, "images from one group of counterfactuals to the next, rounded to steps", low=1, high=2**40
    )
    statement_group: int = option(32, "units in a group", low=2, high=2**16)
    statement_share: float = option(
        0.5, "largest norm of the constraint gradient, as a multiple of the norm of the rest", low=0
    )
    statement_release: bool = option(
        False, "leave the labels that the statements' consequents name out of the generator's label losses"
    )
    statement_smooth: bool = option(
        False,
        "blur the images a little before the constraints' classifier reads them, so that no fine pattern deceives it",
    )
    statement_rate: float = option(
        0.1, "dual ascent: step size of a constraint's multiplier, per unit of its loss above the slack", low=0
    )
    statement_damping: float = option(1.0, "dual ascent: weight of the quadratic penalty, which damps it", low=0)
    statement_slack: float = option(0.01, "loss up to which a constraint is met; above it the multiplier grows", low=0)
    contrast_weight: float = option(1.0, "weight of a constraint's contrast with the actual world; 0: none", low=0)
    calibration_weight: float = option(1.0, "weight of agreement with the label model's probability; 0: none", low=0)
    keep_weight: float = option(
        1.0,
        "weight of keeping the antecedent's labels, and all labels that neither descend from it nor are consequents",
        low=0,
    )
    null_weight: float = option(0.0, "weight of changing nothing where the antecedent already holds; 0: none", low=0)
    seed: int = option(0, "seed of all random draws, in [0, 2^32)", low=0, below=SEEDS)
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...")
    precision: Literal["auto", "bf16", "float32"] = option(
        "auto", "arithmetic of the convolutions; auto: bf16 if the processor or GPU has bf16 instructions"
    )
    tick: int = option(
        8192, "images between status lines, pictures and checkpoints; the first ones come earlier", low=1, high=2**40
    )
    keep: int = option(2, "number of checkpoints to keep, and of TensorBoard files of 64 MiB", low=1)
    runs_dir: str = option("runs", "folder of all run directories")

    _GROUPS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "data": (
            "graph", "data", "data_root", "data_size", "skip_missing", "crop", "balance", "sampler", "augment",
            "augment_probability",
        ),
        "networks": (
            "approach", "generator_labels", "labels", "generator", "discriminator", "width", "labeler_width",
            "noise_dim", "truncation", "even_kernels",
        ),
        "losses": (
            "objective", "r1", "wrong_labels", "reconstruction", "label_weight", "noise_weight", "label_noise",
            "anti_labeler_decay", "learning_rate", "generator_rate", "rate_decay", "ema_half_life", "ema_ramp",
        ),
        "statement constraints": ("statements", "statement_*", *STATEMENT_OPTIONS),
        "run": (
            "name", "images", "batch", "init_from", "seed", "device", "precision", "tick", "keep", "runs_dir",
        ),
    }  # fmt: skip
    _RENAMED = RENAMED

    def validate(self) -> Recipe:
        """Return the recipe if every value is in range.

        Raises:
            RecipeError: names the first option that is not, and what is allowed.
        """
        check_options(self)
        size = checkpoint_bytes(self)
        allowed = f"less: a checkpoint would take {size / 2**30:.1f} GiB, and at most {MAX_TENSORS / 2**30:g} are read"
        widest = "width" if self.width >= self.labeler_width else "labeler_width"
        require(size <= MAX_TENSORS, widest, getattr(self, widest), allowed)
        least_tick = -(-self.images // MAX_TICKS)
        allowed = f"at least {least_tick:,}: more than {MAX_TICKS:,} lines of statistics are not read"
        require(self.tick >= least_tick, "tick", self.tick, allowed)
        given = ", ".join(self.generator_labels or ()) or "[]"
        allowed = "left out for dcgan, whose generator has no labels"
        require(not self.partial or self.approach != "dcgan", "generator_labels", given, allowed)
        for name in NOT_OF_BEGAN if self.approach == "causalbegan" else ():
            value, usual = getattr(self, name), getattr(Recipe, name)
            require(value == usual, name, value, "left out for causalbegan, which has no use for it")
        self._check_statements()
        is_name = 0 < len(self.name.encode(errors="replace")) <= 100 and self.name.isprintable()
        allowed = "a file name, printable and of at most 100 bytes"
        require(is_name and "/" not in self.name, "name", repr(self.name[:100]), allowed)
        check_source(self)
        return self

    @property
    def partial(self) -> bool:
        """Whether the generator is given some of the graph's labels alone."""
        return self.generator_labels is not None

    @property
    def networks(self) -> tuple[str, str]:
        """Forms of generator and discriminator."""
        return ("began", "autoencoder") if self.approach == "causalbegan" else (self.generator, self.discriminator)

    @property
    def noise_range(self) -> float:
        """Largest noise that a sample or a counterfactual has, in (0, 1]: `truncation`; 1 for a run without labels."""
        return 1.0 if self.approach == "dcgan" else self.truncation

    @property
    def r1_weight(self) -> float:
        """Weight of lazy R1."""
        return R1_WEIGHTS.get(self.objective, 0.3) if self.r1 is None else self.r1

    @property
    def statement_every(self) -> int:
        """Steps from one group of counterfactuals to the next."""
        return max(1, round(self.statement_interval / self.batch))

    @property
    def stickiness(self) -> float:
        """Return the probability that a noise is kept in the statements' counterfactuals, in [0, 1].

        The option `statement_stickiness` sets it. Its default is 1 for an approach with labels and 0.53 for dcgan.
        """
        given = self.statement_stickiness
        return STICKINESS["observe" if self.approach == "dcgan" else "do"] if given is None else given

    def to_dict(self) -> dict[str, Any]:
        names = self.generator_labels
        return {**asdict(self), "generator_labels": None if names is None else list(names)}

    def _check_statements(self) -> None:
        s = self.stickiness
        if self.approach == "dcgan":
            require(not self.statement_release, "statement_release", True, "left out for dcgan, which has no Labelers")
            require(s < 1, "statement_stickiness", s, "below 1 for dcgan: noise that is kept shows what it showed")
        if self.statements is not None:
            allowed = f"below images ({self.images}), or the constraints never start"
            require(self.statement_from < self.images, "statement_from", self.statement_from, allowed)
        if s == 1:
            require(self.null_weight == 0, "null_weight", self.null_weight, "0 at stickiness 1, where nothing changes")


def checkpoint_bytes(recipe: Recipe, labels: int = 40) -> int:
    """Bytes of a checkpoint's tensors: each trained weight with Adam's two moments, and the averaged generator's.
    `labels` is d, where the graph is not known yet as many as CelebA has.
    """
    d, w, r, k = labels * (recipe.approach != "dcgan"), recipe.width, recipe.labeler_width, recipe.noise_dim

    def reader(channels: int, width: int, outputs: int, after: int = 28) -> int:
        # 4x4 kernels, group norms (or 14 biases in their place) and the linear layer
        return 16 * channels * width + width + 672 * width**2 + after * width + (128 * width + 1) * outputs

    def decoder(inputs: int) -> int:
        return (inputs + 1) * 64 * w + 72 * w**2 + 8 * w + 27 * w + 3

    if recipe.approach == "causalbegan":
        generator = decoder(k + d)
        encoder = 54 * w + 585 * w**2 + (256 * w + 1) * k
        return 4 * (3 * (generator + encoder + decoder(k) + reader(3, r, d)) + generator)
    generator = (k + d + 1) * 128 * w + 672 * w**2
    if recipe.generator == "skip":
        last = max(w // 2, 8)
        generator += 16 * w * last + 2 * (d + min(k, 16) + 1) * (15 * w + last) + 21 * w + 27 * last + 12
    else:
        generator += 30 * w + 48 * w + 3
    projects = recipe.discriminator == "projection"
    trained = generator + (reader(3, w, 1 + d, 14) if projects else reader(3 + d, w, 1))
    trained += 2 * reader(3, r, d) if d else 0
    if recipe.noise_weight:
        trained += 96 * r + 2 * r + 128 * r**2 + 4 * r + (64 * r + 1) * min(k, 10)
    if recipe.reconstruction:
        trained += reader(3 + d, r, 2 * k)
    return 4 * (3 * trained + generator)


def stored_recipe(values: Mapping[str, Any]) -> Recipe:
    """Return a run's recipe as any version of this program has stored it."""
    values = with_new_names(Recipe, values, values, warn=False)
    if values.get("objective") == "relativistic" and "generator" not in values:
        values["r1"] = None  # of before generators could be chosen: R1 and R2 had weight 1 whatever it said
    if values.get("data", "faces") != "faces":
        values.pop("data_size", None)  # which once could be set for photographs, and did nothing
    return recipe_from_dict(values)


def recipe_from_dict(values: Mapping[str, Any]) -> Recipe:
    """Return a validated recipe; an unknown key is a `RecipeError` that names the nearest one."""
    values = with_new_names(Recipe, values, values)
    for key in values:
        if key not in option_names(Recipe):
            raise RecipeError(unknown("recipe key", str(key), option_names(Recipe)))
    return Recipe(**{**values, "generator_labels": _as_tuple(values.get("generator_labels"))}).validate()
