"""Arms of a comparison: one beginning without statements, and from it a run for each list of statements told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from .recipe import STATEMENT_WEIGHTS, Recipe
from .option_types import require
from .statement_checks import refuse_conflicts
from .statement_file import load_statements

NONE = "none"  # the arm that is told nothing


@dataclass(frozen=True)
class Told:
    """What is told to the arms of a comparison, and from when on.

    Args:
        entries: statements files or presets; "none" is an arm that is told nothing.
        since: real images that the arms' common beginning sees; 0 where nothing is told.
    """

    entries: tuple[str, ...] = (NONE,)
    since: int = 0

    @property
    def anything(self) -> bool:
        """Whether there is more than one training of an approach and seed."""
        return self.entries != (NONE,)

    def check(self, recipe: Recipe) -> None:
        """Refuses what would not be fair.

        Raises:
            RecipeError: no entry, a repeated one, or a beginning that leaves the arms no images or has no use.
        """
        require(len(self.entries) > 0, "told", "empty", "a list of at least one")
        repeated = len(set(self.entries)) < len(self.entries)
        require(not repeated, "told", ", ".join(self.entries), "a list without repetition")
        if not self.anything:
            require(self.since == 0, "told_from", self.since, "left out where told names no statements")
            return
        seen = -(-self.since // recipe.batch) * recipe.batch  # in whole batches
        allowed = f"above 0 and below images, {recipe.images}, counted in batches of {recipe.batch}"
        require(0 < seen < recipe.images, "told_from", self.since, allowed)

    def load(self, nodes: Sequence[str]) -> None:
        """Reads every file, so that a mistake shows before anything is trained.

        Raises:
            StatementError: no such file, a statement that is none, an attribute that is no node, or two that conflict.
        """
        for entry in self.entries:
            if entry != NONE:
                found = load_statements(entry, nodes)
                refuse_conflicts(found, entry)
                for name, statement in found.items():
                    statement.check(nodes, f"{entry}: {name}: the graph")

    def base(self, recipe: Recipe) -> Recipe:
        """The recipe of the arms' beginning."""
        return replace(_untold(recipe), name=f"{recipe.name}-base", images=self.since)

    def arm(self, entry: str, recipe: Recipe, start: str) -> Recipe:
        """The recipe of an arm that begins with the run `start`."""
        arm = replace(recipe, name=f"{recipe.name}-{Path(entry).stem}", start=start)
        return _untold(arm) if entry == NONE else replace(arm, statements=entry, statement_from=self.since)


def _untold(recipe: Recipe) -> Recipe:
    """All about statements by default, so that the run is found again however other arms are told."""
    return replace(recipe, **_defaults())


def _defaults() -> dict[str, Any]:
    return {f.name: f.default for f in fields(Recipe) if f.name.startswith("statement") or f.name in STATEMENT_WEIGHTS}
