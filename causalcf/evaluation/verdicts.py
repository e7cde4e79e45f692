"""What an effect says about a causal link, beside what the causal model says it should be."""

from __future__ import annotations

import math

from ..errors import CausalCFError

RESPECTED, WEAK, EXAGGERATED = "respected", "weak", "exaggerated"
ABSENT, REVERSED, LEAKS = "absent", "reversed", "leaks"
NONE, WITHHELD = "none", "withheld"
VERDICTS = (RESPECTED, WEAK, EXAGGERATED, ABSENT, REVERSED, LEAKS, NONE, WITHHELD)

ROUNDING = 1e-12  # a difference of .05 that arithmetic makes .05000000000000003 is still within .05
ZERO = 1e-9  # a reference nearer to 0 is 0: the sum that it is has rounding errors


def verdict(effect: float, interval: tuple[float, float], reference: float, margin: float = 0.05) -> str:
    """One of six verdicts on an effect; the first rule that holds decides.

    1. leaks: the reference is 0 and the effect exceeds the margin.
    2. respected: the effect is within the margin of the reference and, where the reference exceeds the margin, the
       interval lies wholly on the reference's side of 0.
    3. Where the reference exceeds the margin: absent if the interval holds 0; reversed if it lies wholly on the
       other side of 0.
    4. Else the effect is off by more than the margin: reversed on the other side of 0, weak where it is smaller than
       the reference, exaggerated where it is larger.

    Args:
        effect: e, in the direction of the cause raised.
        interval: of e.
        reference: r, what the causal model says.
        margin: tau.

    Raises:
        CausalCFError: a figure that is not finite, or an interval upside down.

    Source: defined here.

    Example:
        >>> verdict(0.3, (0.25, 0.35), 0.28), verdict(0.1, (0.05, 0.15), 0.28), verdict(0.0, (-0.02, 0.02), 0.28)
        ('respected', 'weak', 'absent')
    """
    low, high = interval
    if not all(map(math.isfinite, (effect, low, high, reference, margin))) or low > high:
        raise CausalCFError(f"no verdict on effect {effect}, interval {interval}, reference {reference}")
    near = abs(effect - reference) <= margin + ROUNDING
    if abs(reference) <= ZERO:
        return RESPECTED if near else LEAKS
    large = abs(reference) > margin + ROUNDING
    ours, theirs = (low > 0, high < 0) if reference > 0 else (high < 0, low > 0)
    if near and (ours or not large):
        return RESPECTED
    if large and low <= 0 <= high:
        return ABSENT
    if (large and theirs) or effect * reference < 0:
        return REVERSED
    return WEAK if abs(effect) < abs(reference) else EXAGGERATED
