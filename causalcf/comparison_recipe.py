"""A comparison: every approach with the same settings, and the two classifiers that asking and measuring need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from .classifiers.recipe import ClassifierRecipe, Role, classifier_recipe
from .comparison_told import Told
from .errors import RecipeError, unknown
from .recipe import APPROACHES, Approach, Recipe, option_names, recipe_from_dict
from .option_types import require

ROLES: tuple[Role, ...] = get_args(Role)
KEYS = ("approaches", "seeds", "told", "told_from", *ROLES)  # what a comparison says beside the keys of a recipe
# Keys of a recipe that it says otherwise.
SINGLE: Mapping[str, str] = {"approach": "approaches", "seed": "seeds", "statements": "told", "start": "told"}
SHARED = ("data", "data_root", "data_size", "device", "runs")  # classifiers have these from the shared settings


@dataclass(frozen=True)
class Comparison:
    """What `python -m causalcf.train` trains from a recipe with the key `approaches`.

    Args:
        recipe: the settings that all trainings share; its own approach and seed say nothing.
        approaches: which approaches are trained.
        seeds: each approach is trained once with each.
        classifier: sees antecedents in images of runs without labels; resolved.
        judge: what evaluation reads with; resolved.
        told: which statements are told to which arms of a training; by default there is one, told nothing.
    """

    recipe: Recipe
    approaches: tuple[Approach, ...]
    seeds: tuple[int, ...]
    classifier: ClassifierRecipe
    judge: ClassifierRecipe
    told: Told = Told()

    def validate(self) -> Comparison:
        """Itself, if it is a fair comparison.

        Raises:
            RecipeError: an approach that is unknown, one or a seed that is missing, repeated or out of range, or a
                judge with the classifier's network or seed; or arms that are told what they cannot be.
        """
        for name in self.approaches:
            if name not in APPROACHES:
                raise RecipeError(unknown("approach", str(name), APPROACHES))
        for key, values in (("approaches", self.approaches), ("seeds", self.seeds)):
            require(len(values) > 0, key, "empty", "a list of at least one")
            require(len(set(values)) == len(values), key, ", ".join(map(str, values)), "a list without repetition")
        for recipe in self.recipes():
            recipe.validate()
        self.told.check(self.recipe)
        for key in ("network", "seed"):
            value = getattr(self.judge, key)
            if value == getattr(self.classifier, key):
                raise RecipeError(
                    f"judge and classifier both have {key} {value}; the judge must be trained apart from the "
                    "classifier, with another network and another seed"
                )
        return self

    def recipes(self) -> list[Recipe]:
        """One recipe for each approach and seed, told nothing: all with the first seed, then with the next."""
        return [replace(self.recipe, approach=name, seed=seed) for seed in self.seeds for name in self.approaches]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values, of which `comparison_from_dict` makes the same comparison."""
        shared = {key: value for key, value in self.recipe.to_dict().items() if key not in SINGLE}
        lists = {"approaches": list(self.approaches), "seeds": list(self.seeds), "told": list(self.told.entries)}
        own = {**lists, "told_from": self.told.since}
        return {**shared, **own, "classifier": _own(self.classifier), "judge": _own(self.judge)}


def comparison_from_dict(values: Mapping[str, Any]) -> Comparison:
    """A validated comparison.

    Args:
        values: keys of a `Recipe` but approach, seed, statements and start; and `approaches`, `seeds` and `told`
            (lists), `told_from` (images), `classifier` and `judge` (keys of a `ClassifierRecipe` but its role and what
            is shared). What is left out has its default.

    Raises:
        RecipeError: an unknown key (naming the nearest), one that a comparison does not take, or a value out of range.
    """
    for key in values:
        refuse_single(key)
        if key not in (*option_names(), *KEYS):
            raise RecipeError(unknown("recipe key", str(key), [*option_names(), *KEYS]))
    recipe = recipe_from_dict({key: value for key, value in values.items() if key not in KEYS})
    approaches: Sequence[Approach] = values.get("approaches", APPROACHES)
    classifier, judge = (_with_role(role, values.get(role, {}), recipe) for role in ROLES)
    told = Told(tuple(values.get("told", Told.entries)), values.get("told_from", Told.since))
    return Comparison(recipe, tuple(approaches), tuple(values.get("seeds", (0,))), classifier, judge, told).validate()


def refuse_single(key: str, dashes: str = "") -> None:
    """Raises a `RecipeError` for a key of one training that a comparison says as a list; `dashes` before a flag."""
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
    """The values that a classifier does not share."""
    return {key: value for key, value in recipe.to_dict().items() if key not in (*SHARED, "role")}
