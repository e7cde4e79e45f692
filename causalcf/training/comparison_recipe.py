"""Recipe of a comparison: every approach with the same settings, a classifier and a judge."""

from __future__ import annotations

import warnings
from argparse import SUPPRESS
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..checks import option_names, require
from ..classifiers.recipe import ClassifierRecipe, Role, classifier_recipe
from ..cli.parser import Flags
from ..data import SOURCE_OPTIONS
from ..errors import RecipeError, unknown
from ..language.conflicts import refuse_conflicts, refuse_unsettable
from ..language.lists import load_statements
from ..runs.recipe import APPROACHES, STATEMENT_OPTIONS, Approach, Recipe, recipe_from_dict

NONE = "none"  # the arm without statement constraints
ROLES: tuple[Role, ...] = ("classifier", "judge")  # trained beside the runs
KEYS = ("approaches", "seeds", "constraints", "constraints_from", *ROLES)  # beside the keys of a recipe
# Keys of a recipe that a comparison states as lists.
SINGLE = {"approach": "approaches", "seed": "seeds", "statements": "constraints"}
RENAMED = {"told": "constraints", "told_from": "constraints_from"}  # old keys, for one release
SHARED = (*SOURCE_OPTIONS, "data_size", "device", "runs_dir")  # given to the classifiers, too
LISTS: Mapping[str, tuple[type, str]] = {
    "approaches": (str, "[causalgan, dcgan]"),
    "seeds": (int, "[0, 1]"),
    "constraints": (str, "[none, faces-true]"),
}


@dataclass(frozen=True)
class Arms:
    """Arms: statements files, presets or "none" (unconstrained); `since`: images of the common start."""

    entries: tuple[str, ...] = (NONE,)
    since: int = 0

    @property
    def anything(self) -> bool:
        """Return whether any arm has statement constraints."""
        return self.entries != (NONE,)

    def check(self, recipe: Recipe) -> None:
        """Check that the arms differ and that the common start is shorter than the training."""
        require(len(self.entries) > 0, "constraints", "empty", "a list of at least one")
        repeated = len(set(self.entries)) < len(self.entries)
        require(not repeated, "constraints", ", ".join(self.entries), "a list without repetition")
        if not self.anything:
            require(self.since == 0, "constraints_from", self.since, "left out where constraints names no statements")
            return
        seen = -(-self.since // recipe.batch) * recipe.batch  # in whole batches
        allowed = f"above 0 and below images, {recipe.images}, counted in batches of {recipe.batch}"
        require(0 < seen < recipe.images, "constraints_from", self.since, allowed)

    def load(self, nodes: Sequence[str], settable: Sequence[str] | None = None) -> None:
        """Read and check all statement files, so that errors show before any training.
        `settable`: the labels that a partly labelled generator is given.
        """
        for entry in self.entries:
            if entry != NONE:
                found = load_statements(entry, nodes)
                refuse_conflicts(found, entry)
                refuse_unsettable(found, settable)
                for name, statement in found.items():
                    statement.check(nodes, f"{entry}: {name}: the graph")

    def base(self, recipe: Recipe) -> Recipe:
        """Return the recipe of the arms' common start; learning rates fall in the arms alone."""
        return replace(_unconstrained(recipe), name=f"{recipe.name}-base", images=self.since, rate_decay=0.0)

    def arm(self, entry: str, recipe: Recipe, start: str) -> Recipe:
        """Return the recipe of an arm that starts from the run `start`."""
        arm = replace(recipe, name=f"{recipe.name}-{Path(entry).stem}", init_from=start)
        return _unconstrained(arm) if entry == NONE else replace(arm, statements=entry, statement_from=self.since)


def _unconstrained(recipe: Recipe) -> Recipe:
    """Return the recipe with default statement options, so that the same run is found for any arms."""
    names = [name for name in option_names(Recipe) if name.startswith("statement") or name in STATEMENT_OPTIONS]
    return replace(recipe, **{name: getattr(Recipe, name) for name in names})


SINGLE |= {"init_from": "constraints", "start": "constraints"}


@dataclass(frozen=True)
class Comparison:
    """Recipe of a comparison: what `python -m causalcf.train` trains from a file with the key `approaches`.

    Args:
        recipe: the settings that all trainings share; its own approach and seed are ignored.
        approaches, seeds: each approach is trained once with each seed.
        classifier: finds antecedents in images of runs without labels; resolved.
        judge: measures in the evaluation; resolved.
        arms: the statement constraints of each arm; by default one arm without constraints.
    """

    recipe: Recipe
    approaches: tuple[Approach, ...]
    seeds: tuple[int, ...]
    classifier: ClassifierRecipe
    judge: ClassifierRecipe
    arms: Arms = Arms()

    def validate(self) -> Comparison:
        """Return the comparison if it is valid and the judge differs from the classifier (network, seed)."""
        for key, values in (("approaches", self.approaches), ("seeds", self.seeds)):
            require(len(values) > 0, key, "empty", "a list of at least one")
            require(len(set(values)) == len(values), key, ", ".join(map(str, values)), "a list without repetition")
        for recipe in self.recipes():
            recipe.validate()
        self.arms.check(self.recipe)
        for key in ("network", "seed"):
            value = getattr(self.judge, key)
            if value == getattr(self.classifier, key):
                raise RecipeError(
                    f"judge and classifier both have {key} {value}; the judge must be trained apart from the "
                    "classifier, with another network and another seed"
                )
        return self

    def recipes(self) -> list[Recipe]:
        """Return one recipe without statements for each seed and approach, ordered by seed."""
        return [replace(self.recipe, approach=name, seed=seed) for seed in self.seeds for name in self.approaches]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; `comparison_from_dict` restores the comparison from them."""
        shared = {key: value for key, value in self.recipe.to_dict().items() if key not in SINGLE}
        lists = {"approaches": list(self.approaches), "seeds": list(self.seeds), "constraints": list(self.arms.entries)}
        own = {**lists, "constraints_from": self.arms.since}
        return {**shared, **own, "classifier": _own(self.classifier), "judge": _own(self.judge)}


def comparison_from_dict(values: Mapping[str, Any]) -> Comparison:
    """Return a validated comparison from the keys of a recipe file; missing keys have defaults."""
    recipe = recipe_from_dict({key: value for key, value in values.items() if key not in KEYS})
    approaches: Sequence[Approach] = values.get("approaches", APPROACHES)
    classifier, judge = (_with_role(role, values.get(role, {}), recipe) for role in ROLES)
    arms = Arms(tuple(values.get("constraints", Arms.entries)), values.get("constraints_from", Arms.since))
    return Comparison(recipe, tuple(approaches), tuple(values.get("seeds", (0,))), classifier, judge, arms).validate()


def check_not_single(key: str, dashes: str = "") -> None:
    """Raise a `RecipeError` for a key of a single training, which a comparison states as a list."""
    if key in SINGLE:
        raise RecipeError(f"{dashes}{key} has no meaning in a comparison; it takes {dashes}{SINGLE[key]}")


def _with_role(role: Role, values: Mapping[str, Any], recipe: Recipe) -> ClassifierRecipe:
    for key in values:
        if key in SHARED:
            raise RecipeError(f"{role}: {key} is the same for all of a comparison; set it outside {role}")
        if key == "role":
            raise RecipeError(f"{role}: role is {role} here; leave it out")
    given = {"precision": recipe.precision, **values, "role": role}
    try:
        return classifier_recipe({**given, **{key: getattr(recipe, key) for key in SHARED}}).resolved()
    except RecipeError as error:
        raise RecipeError(f"{role}: {error}") from None


def _own(recipe: ClassifierRecipe) -> dict[str, Any]:
    """Return a classifier's values without the shared ones and without its role."""
    return {key: value for key, value in recipe.to_dict().items() if key not in (*SHARED, "role")}


def add_comparison_flags(parser: Flags) -> None:
    """Add the flags of a comparison's lists; classifier settings are in the file only."""
    add = parser.add_argument_group("comparison (a recipe with the key approaches, such as compare)").add_argument
    add("--approaches", nargs="+", type=str, default=None, metavar="NAME", help="the approaches to train")
    add("--seeds", nargs="+", type=int, default=None, metavar="SEED", help="the seeds; every approach uses each")
    text = "the arms, which share a start: none, or statement constraints (a YAML file, or a preset)"
    add("--constraints", nargs="+", type=str, default=None, metavar="NAME", help=text)
    add("--constraints-from", type=int, default=0, metavar="IMAGES", help="length of the arms' common start, in images")
    parser.add_argument("--told", nargs="+", type=str, default=None, help=SUPPRESS)
    parser.add_argument("--told-from", type=int, default=0, help=SUPPRESS)


def take_comparison(in_file: dict[str, Any]) -> dict[str, Any] | None:
    """Remove a comparison's keys from a recipe and check their types; None for a single training."""
    found = _with_new_names({key: in_file.pop(key) for key in (*KEYS, *RENAMED) if key in in_file})
    if "approaches" not in found:
        for key in found:
            raise RecipeError(f"{key} belongs to a comparison: a recipe with the key approaches")
        return None
    for key in in_file:
        check_not_single(key)
        if key not in (*option_names(Recipe), *Recipe._RENAMED):
            raise RecipeError(unknown("key", key, [*option_names(Recipe), *KEYS]))
    for key, value in found.items():
        if key in ROLES:
            found[key] = _section(key, value)
        elif key in LISTS:
            kind, example = LISTS[key]
            is_list = isinstance(value, list) and all(type(item) is kind for item in value)
            require(is_list, key, repr(value), f"a list, such as {example}")
        else:
            require(type(value) is int, key, repr(value), "a number of images, such as 40960")
    return found


def compared(taken: Mapping[str, Any] | None, shared: Mapping[str, Any], flags: Mapping[str, Any]) -> Comparison | None:
    """Return the comparison that a recipe file and flags describe; None if the file has none."""
    given = _with_new_names({key: flags[key] for key in (*LISTS, "constraints_from", *RENAMED) if key in flags})
    if taken is None:
        for key in given:
            raise RecipeError(f"--{key.replace('_', '-')} belongs to a comparison, such as --recipe compare")
        return None
    for key in flags:
        check_not_single(key, "--")
    if "resume" in flags:
        raise RecipeError("--resume goes on with one run; a comparison goes on when its command is given again")
    return comparison_from_dict({**shared, **taken, **given})


def _with_new_names(values: dict[str, Any]) -> dict[str, Any]:
    for old in [key for key in RENAMED if key in values]:
        text = f"{old} is now {RENAMED[old]}; the old name goes in the next release"
        warnings.warn(text, FutureWarning, stacklevel=3)
        values[RENAMED[old]] = values.pop(old)
    return values


def _section(role: str, value: Any) -> dict[str, Any]:
    require(isinstance(value, dict), role, repr(value), "a mapping from a classifier's options to values")
    parser = Flags(refuse=RecipeError)
    parser.add_options(ClassifierRecipe)
    try:
        return vars(parser.parse_object(value, defaults=False))
    except RecipeError as error:
        raise RecipeError(f"{role}: {error}") from None
