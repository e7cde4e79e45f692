"""How an evaluation measures: the numbers that its figures depend on."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_UNITS = 100  # fewer give no verdict: their interval is several margins wide
MOST_LOST = 0.1  # nor where more than this share of the units was lost: the others are no fair sample


def too_few(n: int, asked: int, lost: str) -> str:
    """Why units are too few for a verdict, or "".

    Args:
        n: units that have a counterfactual.
        asked: units asked.
        lost: why the others have none, in words.
    """
    if n < LEAST_UNITS:
        return f"{n} units of {asked} asked; a verdict takes {LEAST_UNITS}"
    if asked - n > MOST_LOST * asked:
        return f"{asked - n} of {asked} units were lost ({lost}); a verdict takes nine tenths of them"
    return ""


@dataclass(frozen=True)
class Settings:
    """The numbers of an evaluation.

    Args:
        n: units asked about each cause.
        half_width: of the interval that n was chosen for.
        seed: of all randomness.
        margin: tau, how far an effect may lie from the reference.
        resamples: of the bootstrap.
    """

    n: int
    half_width: float
    seed: int = 0
    margin: float = 0.05
    resamples: int = 2000
