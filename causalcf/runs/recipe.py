"""Training recipe: every option that determines a run, validated once and saved with the run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from ..checks import MAX, SEEDS, check_types, option, require
from ..data import Data
from ..errors import RecipeError, unknown
from ..io.untrusted import MAX_TENSORS, MAX_TICKS

APPROACHES = ("causalgan", "conditional", "dcgan")
Approach = Literal["causalgan", "conditional", "dcgan"]
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
UNCOMPARED = ("keep", "runs")  # where and how much is kept: nothing that the training itself depends on
LabelMethod = Literal["likelihood", "adversarial"]
ObjectiveName = Literal["non-saturating", "hinge", "least-squares", "wgan-gp", "relativistic"]


@dataclass(frozen=True)
class Recipe:
    """The options of `python -m causalcf.train`, with their defaults.

    Example:
        >>> recipe = Recipe(approach="dcgan", images=50_000)
        >>> recipe.validate().to_dict()["approach"], recipe.batch == Recipe().batch
        ('dcgan', True)
    """

    name: str = option("faces", "names the run directory")
    graph: str = option("celeba", "causal graph: a YAML file or a preset name")
    data: Data = option("faces", "image source: rendered faces, CelebA, or a folder of images with a CSV of labels")
    data_root: str | None = option(None, "folder of the images (celeba, folder)")
    data_size: int = option(20_000, "how many faces are rendered (faces only)")
    approach: Approach = option(
        "causalgan", "causalgan; conditional: the same networks, labels from a graph without edges; dcgan: no labels"
    )
    labels: LabelMethod = option("likelihood", "how the label generator is fitted")
    objective: ObjectiveName = option("non-saturating", "adversarial objective")
    images: int = option(90_112, "length of training, in real images seen by the discriminator")
    batch: int = option(32, "images a step")
    width: int = option(32, "channels at 32x32 in generator and discriminator (64 in the papers)")
    labeler_width: int = option(16, "the same for Labeler and Anti-Labeler")
    noise_dim: int = option(100, "coordinates of z, uniform on (-1, 1)")
    learning_rate: float = option(2e-4, "Adam's rate for discriminator and label readers (beta1 .5)")
    generator_rate: float = option(4e-4, "Adam's rate for the generator")
    label_weight: float = option(1.0, "weight of the label terms in the generator's loss")
    noise_weight: float = option(
        0.0, "weight of reading the noise back off generated images (InfoGAN), against collapse onto few faces; 0: none"
    )
    r1: float | None = option(
        None,
        "weight of the gradient penalty on real images (R1), applied every 8 steps; by default 0.3, and 0 (none) where "
        "the objective has a penalty of its own (wgan-gp, relativistic)",
    )
    anti_decay: float = option(500.0, "steps over which the Anti-Labeler's weight falls by e")
    balance: float = option(0.7, "rows are drawn by (frequency of their label combination)^-balance; 0: as they come")
    augment: bool = option(
        False, "whether all networks see images moved and lit anew each time, real and generated alike: for few images"
    )
    label_grain: float = option(
        0.0, "greatest standard deviation, of pixels in [-1, 1], of the grain over what Labeler and Anti-Labeler see"
    )
    even_kernels: bool = option(
        False,
        "whether the generator's layers weigh neighbouring pixels alike: no checkerboard over what varies slowly",
    )
    average: float = option(0.995, "decay of the averaged generator that all samples come from")
    start: str | None = option(
        None, "a run to begin with: its weights, optimisers and random state; its images count towards `images`"
    )
    statements: str | None = option(
        None, "counterfactual statements told while training: a YAML file, or a preset of eval/statements"
    )
    statement_classifier: str | None = option(
        None, "classifier that reads images for the statements, never the judge; by default the data's in `runs`"
    )
    statement_stickiness: float | None = option(
        None, "probability that a noise is kept in their counterfactuals; by default 1 with labels, .53 without"
    )
    statement_from: int = option(
        16_384, "images seen before statements are told: in early images there is nothing to see"
    )
    statement_every: int = option(4, "steps from one group of counterfactuals to the next")
    statement_group: int = option(32, "units in a group")
    statement_share: float = option(
        0.5, "greatest norm of the statements' gradient, in norms of the generator's other gradient"
    )
    statement_rate: float = option(0.1, "dual ascent: what a statement's multiplier gains for each unit of its loss")
    statement_damping: float = option(1.0, "dual ascent: the penalty's own weight, which damps the multiplier's swings")
    statement_slack: float = option(0.01, "loss up to which a statement costs nothing")
    contrast_weight: float = option(1.0, "weight of the contrast of a statement with the actual world; 0: none")
    calibration_weight: float = option(1.0, "weight of agreement with the label model's own probability; 0: none")
    keep_weight: float = option(1.0, "weight of keeping what does not descend from the antecedent; 0: none")
    null_weight: float = option(0.0, "weight of antecedents that hold already changing nothing; 0: none")
    seed: int = option(0, "seed of every random draw, in [0, 2^32)")
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...")
    precision: Literal["auto", "bf16", "float32"] = option(
        "auto", "arithmetic of the convolutions; auto: bf16 where the processor has it"
    )
    tick: int = option(8192, "images between status lines and checkpoints")
    keep: int = option(2, "checkpoints that are kept, the newest of them; and TensorBoard files of 64 MiB")
    runs: str = option("runs", "folder that run directories go into")

    def validate(self) -> Recipe:
        """Return the recipe if every value is in range.

        Raises:
            RecipeError: an option is out of range; the message names the first such option and what is allowed.
        """
        check_types(self, RecipeError)
        least = {"images": 1, "batch": 2, "width": 1, "labeler_width": 1, "noise_dim": 1, "tick": 1, "data_size": 2}
        least |= {"statement_every": 1, "statement_group": 2, "keep": 1}
        for name, low in least.items():
            require(getattr(self, name) >= low, name, getattr(self, name), f"at least {low}")
        for name, most in MAX.items():
            require(getattr(self, name) <= most, name, getattr(self, name), f"at most {most:,}")
        size = checkpoint_bytes(self)
        allowed = f"less: a checkpoint would take {size / 2**30:.1f} GiB, and at most {MAX_TENSORS / 2**30:g} are read"
        widest = "width" if self.width >= self.labeler_width else "labeler_width"
        require(size <= MAX_TENSORS, widest, getattr(self, widest), allowed)
        least_tick = -(-self.images // MAX_TICKS)
        allowed = f"at least {least_tick:,}: more than {MAX_TICKS:,} lines of statistics are not read"
        require(self.tick >= least_tick, "tick", self.tick, allowed)
        for name in ("learning_rate", "generator_rate", "anti_decay"):
            value = getattr(self, name)
            require(math.isfinite(value) and value > 0, name, value, "a finite number above 0")
        for name in ("label_weight", "noise_weight", "balance", "r1", "label_grain", *STATEMENT_OPTIONS):
            value = getattr(self, name)
            require(value is None or (math.isfinite(value) and value >= 0), name, value, "a finite number, at least 0")
        own = self.objective == "relativistic" and bool(self.r1)
        require(not own, "r1", self.r1, "0 or left out for relativistic, which has R1 and R2 of its own")
        require(self.balance <= 1, "balance", self.balance, "at most 1 (1 draws every label combination alike)")
        require(0 <= self.average < 1, "average", self.average, "in [0, 1)")
        require(0 <= self.seed < SEEDS, "seed", self.seed, "in [0, 2^32)")
        self._check_statements()
        is_name = 0 < len(self.name.encode(errors="replace")) <= 100 and self.name.isprintable()
        allowed = "a file name, printable and of at most 100 bytes"
        require(is_name and "/" not in self.name, "name", repr(self.name[:100]), allowed)
        require(self.data == "faces" or self.data_root is not None, "data_root", None, f"set when data is {self.data}")
        require(self.data != "faces" or self.data_root is None, "data_root", self.data_root, "left out for faces")
        return self

    @property
    def stickiness(self) -> float:
        """Return the probability that a noise is kept in the statements' counterfactuals, in [0, 1].

        The option `statement_stickiness` sets it. Its default is 1 for an approach with labels and 0.53 for dcgan.
        """
        given = self.statement_stickiness
        return STICKINESS["observe" if self.approach == "dcgan" else "do"] if given is None else given

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def _check_statements(self) -> None:
        s = self.stickiness
        require(0 <= s <= 1, "statement_stickiness", s, "in [0, 1]")
        if self.approach == "dcgan":
            require(s < 1, "statement_stickiness", s, "below 1 for dcgan: noise that is kept shows what it showed")
        require(self.statement_from >= 0, "statement_from", self.statement_from, "at least 0")
        if self.statements is not None:
            allowed = f"below images ({self.images}), or the statements are never told"
            require(self.statement_from < self.images, "statement_from", self.statement_from, allowed)
        if s == 1:
            require(self.null_weight == 0, "null_weight", self.null_weight, "0 at stickiness 1, where nothing changes")


def checkpoint_bytes(recipe: Recipe, labels: int = 40) -> int:
    """Bytes of a checkpoint's tensors: each trained weight with Adam's two moments, and the averaged generator's.

    Args:
        labels: d; as many as CelebA has, where the graph is not known yet. Without labels there are none.
    """
    d, w, r, k = labels, recipe.width, recipe.labeler_width, recipe.noise_dim
    if recipe.approach == "dcgan":
        d = 0

    def reader(channels: int, width: int, outputs: int) -> int:
        # 4x4 kernels, group norms and the linear layer
        return 16 * channels * width + width + 672 * width**2 + 28 * width + (128 * width + 1) * outputs

    generator = (k + d + 1) * 128 * w + 672 * w**2 + 30 * w + 48 * w + 3
    trained = generator + reader(3 + d, w, 1) + (2 * reader(3, r, d) if d else 0)
    if recipe.noise_weight:
        trained += 96 * r + 2 * r + 128 * r**2 + 4 * r + (64 * r + 1) * min(k, 10)
    return 4 * (3 * trained + generator)


def option_names() -> list[str]:
    return [f.name for f in fields(Recipe)]


def stored_recipe(values: Mapping[str, Any]) -> Recipe:
    """A run's recipe as any version of this program has stored it.

    Raises:
        RecipeError: as `recipe_from_dict`.
    """
    if values.get("objective") == "relativistic":
        values = {**values, "r1": 0}  # once accepted there, where it had no effect
    return recipe_from_dict(values)


def recipe_from_dict(values: Mapping[str, Any]) -> Recipe:
    """Return a validated recipe; the error for an unknown key names the nearest one."""
    for key in values:
        if key not in option_names():
            raise RecipeError(unknown("recipe key", str(key), option_names()))
    return Recipe(**values).validate()
