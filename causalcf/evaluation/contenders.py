"""Approaches that a trained run offers, under their names in the comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import QueryError
from ..labels.reference import Reference
from ..runs.directory import run_kind
from ..runs.recipe import STICKINESS
from ..runs.run import Run
from .approaches import Kernel, LabelledApproach, UnlabelledApproach, esm_kernel, gaussian_kernel
from .judge import Judge

Contender = LabelledApproach | UnlabelledApproach
SCALE = 0.5  # of dcgan-gaussian's steps, in units of z


@dataclass(frozen=True)
class Asking:
    """Options for asking approaches.

    Args:
        mode: "do" or "observe" keeps only the approaches that support it; None lets each use its own.
        stickiness: of the ESM approaches, in [0, 1]; None means 1 for do and 0.53 for observe.
        budget: candidate noises that a run without labels may try, as a multiple of the units.
    """

    mode: str | None = None
    stickiness: float | None = None
    budget: int = 30

    def sticky(self, mode: str) -> float:
        """Return the stickiness of an ESM approach."""
        return STICKINESS[mode] if self.stickiness is None else self.stickiness


def kind_of(run: Run) -> str:
    """Return the run's kind, with "-statements" added if it was trained with statement constraints."""
    return run_kind(run.recipe.approach, run.recipe.statements)


def contenders(
    run: Run, name: str, reference: Reference, judge: Judge, asking: Asking
) -> tuple[list[Contender], list[str]]:
    """Return a run's approaches, and one sentence for each approach that is left out."""
    found: list[Contender] = []
    left_out: list[str] = []
    for make in _MAKERS[run.recipe.approach]:
        try:
            found.append(make(run, name, reference, judge, asking))
        except QueryError as error:
            left_out.append(str(error))
    return found, left_out


def _conditional_do(run: Run, name: str, reference: Reference, judge: Judge, asking: Asking) -> Contender:
    kind = f"{kind_of(run)}-do"
    _only(kind, "do", asking)
    return LabelledApproach(kind, name, run, reference, "do", 1.0, "labels set, same z")


def _causalgan_do(run: Run, name: str, reference: Reference, judge: Judge, asking: Asking) -> Contender:
    kind = f"{kind_of(run)}-do"
    _only(kind, "do", asking)
    return LabelledApproach(kind, name, run, reference, "do", 1.0, "label model, do, stickiness 1, same z")


def _causalgan_esm(run: Run, name: str, reference: Reference, judge: Judge, asking: Asking) -> Contender:
    kind, mode = kind_of(run), asking.mode or "observe"
    s = asking.sticky(mode)
    if mode == "do" and s == 1:
        raise QueryError(f"{kind}-esm is left out: by do at stickiness 1 it is {kind}-do")
    description = f"labels and z by ESM, {mode}, stickiness {s:g}"
    return LabelledApproach(f"{kind}-esm", name, run, reference, mode, s, description)


def _dcgan_gaussian(run: Run, name: str, reference: Reference, judge: Judge, asking: Asking) -> Contender:
    description = f"z moved by {SCALE:g} standard normals until the classifier sees the antecedent; reference at"
    return _dcgan("gaussian", lambda s: gaussian_kernel(SCALE), description, run, name, reference, judge, asking)


def _dcgan_esm(run: Run, name: str, reference: Reference, judge: Judge, asking: Asking) -> Contender:
    description = "ESM on z given the antecedent that the classifier sees,"
    return _dcgan("esm", esm_kernel, description, run, name, reference, judge, asking)


def _dcgan(
    way: str,
    kernel: Callable[[float], Kernel],
    description: str,
    run: Run,
    name: str,
    reference: Reference,
    judge: Judge,
    asking: Asking,
) -> Contender:
    kind = f"{kind_of(run)}-{way}"
    _only(kind, "observe", asking)
    s = asking.sticky("observe")
    description = f"{description} stickiness {s:g}"
    return UnlabelledApproach(kind, name, run, reference.nodes, judge.facts, kernel(s), s, description, asking.budget)


_Maker = Callable[[Run, str, Reference, Judge, Asking], Contender]
_MAKERS: dict[str, Sequence[_Maker]] = {
    "conditional": (_conditional_do,),
    "causalgan": (_causalgan_do, _causalgan_esm),
    "dcgan": (_dcgan_gaussian, _dcgan_esm),
}


def _only(name: str, mode: str, asking: Asking) -> None:
    if asking.mode not in (None, mode):
        raise QueryError(f"{name} is left out: it is asked by {mode}, not by {asking.mode}")
