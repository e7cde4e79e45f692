"""How fast are the label model's exact answers, beside pgmpy, pyAgrum, dowhy and Pyro?

    pip install ".[pgmpy,dowhy,pyro]" pyagrum
    python benchmarks/peers.py [--repeats 7]

Every answer is checked to be equal first. Times are medians; a ratio above 1 means that the peer is slower. The graph
is CausalGAN's main one, with the law of the rendered faces. Counterfactuals are asked of pgmpy and pyAgrum as evidence
in the twin network, which is built beforehand. dowhy and Pyro sample, and are compared for sampling; dowhy also for
many units. The graph of 40 nodes is random: each node has up to three of the nodes before it as parents.
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
from causalcf.graph import CausalGraph
from causalcf.labels import LabelSCM, fit_label_scm

FACTS = {"Young": 1, "Male": 1, "Bald": 0}
UNITS, ROWS, NODES = 4096, 100_000, 40


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
        scm.to_bif(f"{folder}/twin.bif", twin=True, do={"Young": 0})
        networks = agrum_network(scm), gum.loadBN(f"{folder}/twin.bif")

    def by_pgmpy(engine: Any, target: str, evidence: dict[str, int]) -> float:
        found = engine.query([target], evidence=evidence, show_progress=False)
        return float(found.get_value(**{target: 1}))

    def by_gum(network: Any, target: str, evidence: dict[str, int]) -> float:
        engine = gum.VariableElimination(network)
        engine.setEvidence({name: str(value) for name, value in evidence.items()})
        return float(engine.posterior(target)[{target: "1"}])

    given, wide = {"Smiling": 1, "Male": 1}, random_model()
    first, last = wide.graph.nodes[0], wide.graph.nodes[-1]
    large, large_gum = VariableElimination(wide.to_pgmpy()), agrum_network(wide)
    return {
        f"P(last | first) of {NODES} nodes": {
            "causalcf": lambda: wide.probability({last: 1}, given={first: 1}),
            "pgmpy": lambda: by_pgmpy(large, last, {first: 1}),
            "pyAgrum": lambda: by_gum(large_gum, last, {first: 1}),
        },
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


def random_model() -> LabelSCM:
    """Return a model of 40 labels with up to three parents each."""
    draw = np.random.default_rng(0)
    names = [f"X{i}" for i in range(NODES)]
    parents = {
        name: [names[j] for j in draw.choice(i, size=min(i, int(draw.integers(0, 4))), replace=False)]
        for i, name in enumerate(names)
    }
    tables = {name: draw.uniform(0.05, 0.95, (2,) * len(parents[name])) for name in names}
    return LabelSCM.from_probabilities(CausalGraph(parents), tables)


def agrum_network(scm: LabelSCM) -> Any:
    import pyagrum as gum

    with tempfile.TemporaryDirectory() as folder:
        scm.to_bif(f"{folder}/plain.bif")
        return gum.loadBN(f"{folder}/plain.bif")


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
    import pyagrum as gum
    import pyro
    from dowhy import gcm
    from pgmpy.sampling import BayesianModelSampling

    model, sampler = scm.to_dowhy(), BayesianModelSampling(scm.to_pgmpy())
    network, program = agrum_network(scm), scm.to_pyro()

    def by_gum() -> Any:
        generator = gum.BNDatabaseGenerator(network)
        generator.drawSamples(ROWS)
        return generator.to_pandas()

    def by_pyro() -> Any:
        with pyro.plate("rows", ROWS):
            return program()

    return {
        "causalcf": lambda: scm.sample(ROWS, generator=torch.Generator().manual_seed(0)),
        "pgmpy": lambda: sampler.forward_sample(ROWS, show_progress=False),
        "pyAgrum": by_gum,
        "dowhy": lambda: gcm.draw_samples(model, ROWS),
        "Pyro": by_pyro,
    }


def fits(scm: LabelSCM) -> dict[str, Callable[[], Any]]:
    import pandas as pd
    import pyagrum as gum
    from pgmpy.models import DiscreteBayesianNetwork

    rows = scm.sample(ROWS, generator=torch.Generator().manual_seed(0))
    frame, network = pd.DataFrame(rows.numpy(), columns=list(scm.graph.nodes)), agrum_network(scm)
    return {
        "causalcf": lambda: fit_label_scm(scm.graph, rows),
        "pgmpy": lambda: DiscreteBayesianNetwork(list(scm.graph.edges)).fit(frame),
        "pyAgrum": lambda: gum.BNLearner(frame, network).learnParameters(network.dag()),
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
