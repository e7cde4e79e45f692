"""How fast are the label model's exact answers, beside pgmpy, pyAgrum and dowhy?

    pip install ".[pgmpy,dowhy]" pyagrum
    python benchmarks/peers.py [--repeats 7]

Every answer is checked to be equal first. Times are medians; a ratio above 1 means that the peer is slower. The graph
is CausalGAN's main one, with the law of the rendered faces. Counterfactuals are asked of pgmpy and pyAgrum as evidence
in the twin network, which is built beforehand. dowhy samples, and is compared for sampling and for many units.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from causalcf.cli.command import run as run_command
from causalcf.data.faces import true_scm
from causalcf.labels import LabelSCM, fit_label_scm

FACTS = {"Young": 1, "Male": 1, "Bald": 0}
UNITS, ROWS = 4096, 100_000


def timed(ask: Callable[[], Any], repeats: int) -> float:
    """Return the median time of a call in ms; short ones are repeated within a measurement."""
    ask()  # the first call builds what later ones keep
    start = time.perf_counter()
    ask()
    inner = max(1, int(0.05 / max(time.perf_counter() - start, 1e-6)))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(inner):
            ask()
        times.append((time.perf_counter() - start) / inner)
    return 1000 * statistics.median(times)


def exact_queries(scm: LabelSCM) -> dict[str, dict[str, Callable[[], float]]]:
    """Return the same questions as calls: what is asked -> tool -> call."""
    import pyagrum as gum
    from pgmpy.inference import VariableElimination

    plain, twin = VariableElimination(scm.to_pgmpy()), VariableElimination(scm.to_pgmpy(twin=True, do={"Young": 0}))
    with tempfile.TemporaryDirectory() as folder:
        scm.to_bif(f"{folder}/plain.bif")
        scm.to_bif(f"{folder}/twin.bif", twin=True, do={"Young": 0})
        networks = gum.loadBN(f"{folder}/plain.bif"), gum.loadBN(f"{folder}/twin.bif")

    def by_pgmpy(engine: Any, target: str, evidence: dict[str, int]) -> float:
        found = engine.query([target], evidence=evidence, show_progress=False)
        return float(found.get_value(**{target: 1}))

    def by_gum(network: Any, target: str, evidence: dict[str, int]) -> float:
        engine = gum.VariableElimination(network)
        engine.setEvidence({name: str(value) for name, value in evidence.items()})
        return float(engine.posterior(target)[{target: "1"}])

    given = {"Smiling": 1, "Male": 1}
    return {
        "P(Bald | Smiling, Male)": {
            "causalcf": lambda: scm.probability({"Bald": 1}, given=given),
            "pgmpy": lambda: by_pgmpy(plain, "Bald", given),
            "pyAgrum": lambda: by_gum(networks[0], "Bald", given),
        },
        "P(Bald* | young man not bald, do old)": {
            "causalcf": lambda: scm.counterfactual_probability({"Bald": 1}, FACTS, do={"Young": 0}),
            "pgmpy": lambda: by_pgmpy(twin, "Bald_cf", FACTS),
            "pyAgrum": lambda: by_gum(networks[1], "Bald_cf", FACTS),
        },
    }


def many_units(scm: LabelSCM) -> dict[str, Callable[[], Any]]:
    """Return calls that answer a counterfactual of many known units; dowhy draws one world each."""
    import pandas as pd
    from dowhy import gcm

    rows = scm.sample(UNITS, generator=torch.Generator().manual_seed(0))
    frame = pd.DataFrame(rows.numpy(), columns=list(scm.graph.nodes))
    model = scm.to_dowhy()
    return {
        "causalcf": lambda: scm.counterfactual_probabilities({"Bald": 1}, rows, do={"Young": 0}),
        "dowhy": lambda: gcm.counterfactual_samples(model, {"Young": lambda young: 0}, observed_data=frame),
    }


def samplers(scm: LabelSCM) -> dict[str, Callable[[], Any]]:
    from dowhy import gcm
    from pgmpy.sampling import BayesianModelSampling

    model, sampler = scm.to_dowhy(), BayesianModelSampling(scm.to_pgmpy())
    return {
        "causalcf": lambda: scm.sample(ROWS, generator=torch.Generator().manual_seed(0)),
        "pgmpy": lambda: sampler.forward_sample(ROWS, show_progress=False),
        "dowhy": lambda: gcm.draw_samples(model, ROWS),
    }


def fits(scm: LabelSCM) -> dict[str, Callable[[], Any]]:
    import pandas as pd
    from pgmpy.models import DiscreteBayesianNetwork

    rows = scm.sample(ROWS, generator=torch.Generator().manual_seed(0))
    frame = pd.DataFrame(rows.numpy(), columns=list(scm.graph.nodes))
    return {
        "causalcf": lambda: fit_label_scm(scm.graph, rows),
        "pgmpy": lambda: DiscreteBayesianNetwork(list(scm.graph.edges)).fit(frame),
    }


def show(what: str, calls: dict[str, Callable[[], Any]], repeats: int) -> None:
    times = {tool: timed(call, repeats) for tool, call in calls.items()}
    ours = times["causalcf"]
    print(f"{what:<42}" + "  ".join(f"{tool} {ms:.3f} ms (x {ms / ours:.2f})" for tool, ms in times.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    np.random.seed(0)
    scm = true_scm()
    for what, calls in exact_queries(scm).items():
        answers = [call() for call in calls.values()]
        if max(answers) - min(answers) > 1e-6:
            sys.exit(f"{what}: the answers differ: {answers}")
        show(what, calls, options.repeats)
    show(f"counterfactual of {UNITS:,} units", many_units(scm), options.repeats)
    show(f"{ROWS:,} samples", samplers(scm), options.repeats)
    show(f"fit to {ROWS:,} rows", fits(scm), options.repeats)


if __name__ == "__main__":
    sys.exit(run_command(main))
