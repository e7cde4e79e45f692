"""How many units an interval of a stated half-width takes."""

from __future__ import annotations

import math

from scipy.stats import norm

from ..errors import CausalCFError

SD = 0.5  # of one unit's answer: the largest that a rate has


def units_for(half_width: float, sd: float = SD) -> int:
    """The units that a 95 % interval of a mean takes to reach half_width either way.

    Args:
        half_width: in (0, 1).
        sd: standard deviation of one unit's value, above 0. That of paired differences, of which a share c is not 0,
            is at most the root of c: within .5 while no more than a quarter of the units change.

    Raises:
        CausalCFError: a half-width or a standard deviation out of range.

    Source: the normal approximation.

    Example:
        >>> units_for(0.03), units_for(0.05)
        (1068, 385)
    """
    if not 0 < half_width < 1:
        raise CausalCFError(f"half_width is {half_width}; it must lie in (0, 1)")
    if not 0 < sd < math.inf:
        raise CausalCFError(f"sd is {sd}; it must be finite and above 0")
    return math.ceil((norm.ppf(0.975) * sd / half_width) ** 2)


def units_told(half_width: float) -> str:
    """The choice in a sentence."""
    return (
        f"{units_for(half_width):,} faces for each cause: an effect's 95 % interval is then about {half_width:g} "
        f"either way where single answers have a standard deviation of {SD:g}, and narrower where they vary less."
    )
