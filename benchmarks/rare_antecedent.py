"""What a counterfactual draw costs when its antecedent is rare: generator evaluations for each effective draw.

    python benchmarks/rare_antecedent.py [--probability 1e-4] [--repeats 20]
    python benchmarks/rare_antecedent.py --sweep [--plot smc-evaluations.png]      # from 1e-1 to 1e-5
    python benchmarks/rare_antecedent.py --run runs/latest --if Bald=1 [--given Male=0] [--units 3]

Without --run the posterior is known in closed form. 64 coordinates of normal noise are the pixels of an image, through
a sigmoid; the classifier takes the sigmoid back and adds up. Given how many coordinates are redrawn, the sum is normal:
P(A) and the posterior's means and variances are sums of 64 terms. "measured" then needs no diagnostic's word: over
repeated runs, the exact variance of a quantity over the mean squared error of a run's mean of it, for the quantity that
does worst: the sum, the number of redrawn coordinates, or the coordinates themselves. For a run, sizes are those that
the diagnostics report, and rejection is extrapolated where its budget ends: 1 / P(A), with P(A) from smc.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy import stats
from scipy.optimize import brentq
from torch import Tensor

from causalcf.cli.command import run as run_command
from causalcf.cli.parser import parse_conditions
from causalcf.errors import UnreachedError
from causalcf.runs.loading import load_run
from causalcf.worlds.observed import counterfactual_noise
from causalcf.worlds.posterior import CounterfactualNoise
from causalcf.worlds.smc import SMC

SWEEP = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
K, KEPT, STICKINESS = 64, -0.5, 0.5  # coordinates, the actual value of each, the probability that it is kept


class Toy:
    """A: (sum of z) / sqrt(K) > cut, for z standard normal and an actual z far on the other side.

    Args:
        probability: P(A) under K_s, which decides the cut.
    """

    def __init__(self, probability: float) -> None:
        self.redrawn = np.arange(1, K + 1)  # none: 2^-64
        self.prior = stats.binom.pmf(self.redrawn, K, 1 - STICKINESS)
        self.mean = (K - self.redrawn) * KEPT / math.sqrt(K)
        self.sd = np.sqrt(self.redrawn / K)
        self.cut = brentq(lambda cut: math.log(self.reach(cut) / probability), -5.0, 10.0)
        self.z = torch.full((K,), KEPT)

    def reach(self, cut: float) -> float:
        return float(self.prior @ stats.norm.sf((cut - self.mean) / self.sd))

    def moments(self) -> dict[str, tuple[float, float]]:
        """Exact posterior mean and variance of the sum, of the number redrawn, and of a coordinate."""
        beyond = (self.cut - self.mean) / self.sd
        weight, density = self.prior * stats.norm.sf(beyond), self.prior * stats.norm.pdf(beyond)
        first = self.mean * weight + self.sd * density  # E[sum; A, so many redrawn]
        second = (self.mean**2 + self.sd**2) * weight + self.sd * (self.mean + self.cut) * density
        kept = (K - self.redrawn) * KEPT  # what the kept coordinates give to the sum
        free = K * second - 2 * math.sqrt(K) * kept * first + kept**2 * weight  # E[(sum of the redrawn)^2; ...]
        squares = kept * KEPT * weight + free / self.redrawn + (self.redrawn - 1) * weight
        total = weight.sum()

        def law(mean: np.ndarray, square: np.ndarray) -> tuple[float, float]:
            return float(mean.sum() / total), float(square.sum() / total - (mean.sum() / total) ** 2)

        return {
            "sum": law(first, second),
            "redrawn": law(self.redrawn * weight, self.redrawn**2 * weight),
            "coordinate": law(first / math.sqrt(K), squares / K),
        }

    def generate(self, noise: Tensor) -> Tensor:
        return noise.sigmoid().view(-1, 1, 8, 8).expand(-1, 3, 8, 8)

    def classify(self, images: Tensor) -> Tensor:
        sums = images[:, 0].double().logit().flatten(1).sum(1) / math.sqrt(K)
        return ((sums - self.cut) * 4).sigmoid()[:, None]

    def draw(self, method: str | SMC, n: int, seed: int) -> CounterfactualNoise:
        return counterfactual_noise(
            self.z,
            self.generate,
            self.classify,
            {"A": 1},
            n,
            STICKINESS,
            method,
            attributes=["A"],
            prior="normal",
            batch=4096,
            budget=10**9,
            generator=torch.Generator().manual_seed(seed),
        )


@dataclass(frozen=True)
class Cost:
    """Evaluations for each effective draw, as measured and as reported; the mean estimate of P(A)."""

    measured: float
    reported: float
    probability: float


def cost(toy: Toy, method: str | SMC, n: int, repeats: int) -> Cost:
    """What n draws cost, over repeated runs."""
    found = [toy.draw(method, n, seed) for seed in range(repeats)]
    seen = {
        "sum": [draw.noise.double().sum(1).mean() / math.sqrt(K) for draw in found],
        "redrawn": [(~draw.kept).double().sum(1).mean() for draw in found],
        "coordinate": [draw.noise.double().mean(0) for draw in found],
    }
    sizes = []
    for name, (mean, variance) in toy.moments().items():
        sizes.append(variance / float((torch.stack(seen[name]) - mean).square().mean()))
    made = [draw.diagnostics for draw in found]
    return Cost(
        measured=float(np.mean([one.evaluations for one in made]) / min(sizes)),
        reported=float(np.mean([one.evaluations_per_effective_draw for one in made])),
        probability=float(np.mean([one.probability for one in made])),
    )


def on_the_toy(probability: float, repeats: int) -> None:
    toy = Toy(probability)
    rejection = cost(toy, "rejection", 8, repeats)
    smc = cost(toy, SMC(particles=256), 256, repeats)
    title = f"evaluations per effective draw at P(A) = {probability:g}, {repeats} repeats"
    table = Table("method", "measured", "as reported", title=title)
    table.add_row("rejection, exact", f"{1 / probability:,.0f}", "")
    for name, costs in (("rejection, 8 draws", rejection), ("smc, 256 draws", smc)):
        table.add_row(name, f"{costs.measured:,.0f}", f"{costs.reported:,.0f}")
    table.add_row(
        "smc, of exact rejection's",
        f"1/{1 / probability / smc.measured:.0f}",
        f"1/{1 / probability / smc.reported:.0f}",
    )
    Console(width=120).print(table)
    print(f"smc estimates P(A) at {smc.probability:.3g}")


def sweep(repeats: int, plot: Path | None) -> None:
    """smc's cost as the antecedent grows rarer, beside rejection's, which is 1 / P(A) exactly."""
    found = {probability: cost(Toy(probability), SMC(particles=256), 256, repeats) for probability in SWEEP}
    title = f"evaluations per effective draw, smc with 256 draws, {repeats} repeats"
    table = Table(
        "P(A)", "rejection, exact", "smc, measured", "smc, as reported", "smc's estimate of P(A)", title=title
    )
    for probability, smc in found.items():
        costs = [f"{number:,.0f}" for number in (1 / probability, smc.measured, smc.reported)]
        table.add_row(f"{probability:g}", *costs, f"{smc.probability:.3g}")
    Console(width=120).print(table)
    if plot is not None:
        _draw(found, plot)


def _draw(found: dict[float, Cost], plot: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.plot(SWEEP, [1 / probability for probability in SWEEP], "k--", label="rejection, exact")
    axes.plot(SWEEP, [smc.measured for smc in found.values()], "o-", label="smc, measured")
    axes.plot(SWEEP, [smc.reported for smc in found.values()], "s:", label="smc, as reported")
    axes.set(xscale="log", yscale="log", xlabel="P(antecedent)", ylabel="generator evaluations per effective draw")
    axes.invert_xaxis()
    axes.legend()
    figure.savefig(plot, dpi=120)


def on_a_run(options: argparse.Namespace) -> None:
    run = load_run(options.run)
    given, condition = parse_conditions(options.given, "--given"), parse_conditions(options.supposed, "--if")
    source = torch.Generator().manual_seed(options.seed)
    worlds = run.sample(options.units, given=given or None, generator=source)
    table = Table("unit", "method", "evaluations", "effective draws", "evaluations per effective draw", "P(A)")
    for unit, (z, labels) in enumerate(zip(worlds.noise, worlds.labels, strict=True)):

        def generate(noise: Tensor, labels: Tensor = labels) -> Tensor:
            return run.generate(noise, labels.expand(len(noise), -1) if run.labels is not None else None)

        ask = partial(
            counterfactual_noise,
            z,
            generate,
            run.classify,
            condition,
            attributes=run.graph.nodes,
            prior=lambda n, k, draw: run.sample_noise(n, draw),
        )
        smc = ask(options.draws, STICKINESS, "smc", budget=options.budget, generator=source).diagnostics
        reach, each = smc.probability or 0.0, smc.evaluations_per_effective_draw
        table.add_row(
            str(unit), "smc", f"{smc.evaluations:,}", f"{smc.effective_size:.0f}", f"{each:,.0f}", f"{reach:.2e}"
        )
        try:
            tried = ask(options.draws, STICKINESS, "rejection", budget=options.budget, generator=source).diagnostics
            cells = f"{tried.evaluations:,}", f"{options.draws}", f"{tried.evaluations_per_effective_draw:,.0f}"
            table.add_row("", "rejection", *cells, f"{tried.probability:.2e}")
        except UnreachedError as error:
            table.add_row("", "rejection", f"{options.budget:,}", "too few", f"about {1 / max(reach, 1e-300):,.0f}", "")
            print(f"unit {unit}: {error}")
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description="Generator evaluations per effective draw for a rare antecedent.")
    parser.add_argument("--probability", type=float, default=1e-4, help="of the antecedent, on the toy")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--sweep", action="store_true", help="from 1e-1 to 1e-5, on the toy")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="a picture of the sweep")
    parser.add_argument("--run", help="ask a trained run instead of the toy")
    parser.add_argument("--if", action="append", default=[], dest="supposed", metavar="NAME=0|1")
    parser.add_argument("--given", action="append", default=[], metavar="NAME=0|1")
    parser.add_argument("--units", type=int, default=3)
    parser.add_argument("--draws", type=int, default=64)
    parser.add_argument("--budget", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.run:
        on_a_run(options)
    elif options.sweep or options.plot:
        sweep(options.repeats, options.plot)
    else:
        on_the_toy(options.probability, options.repeats)


if __name__ == "__main__":
    sys.exit(run_command(main))
