"""The same questions asked of causalcf, pgmpy, dowhy, Pyro and chirho.

    pip install ".[pgmpy,dowhy,pyro]" chirho
    python examples/bridges.py

"This young man is not bald. If he were old, would he be?" "How many are men of those who are made to have a moustache?"
"""

import warnings

import numpy as np
import torch

import causalcf as cf

warnings.simplefilter("ignore")
FACTS = {"Young": 1, "Male": 1, "Bald": 0}
N = 200_000  # samples, where an answer is sampled: it is then right to about 0.002


def label_model() -> cf.LabelSCM:
    graph = cf.CausalGraph({"Young": [], "Male": [], "Bald": ["Young", "Male"], "Mustache": ["Young", "Male"]})
    return cf.LabelSCM.from_probabilities(
        graph,
        {
            "Young": 0.7736,
            "Male": 0.4168,
            "Bald": (("Young", "Male"), [[0.00027, 0.11263], [0.00013, 0.01946]]),
            "Mustache": (("Young", "Male"), [[0.0002, 0.1372], [0.0001, 0.0814]]),
        },
    )


def ask_causalcf(scm: cf.LabelSCM) -> tuple[float, float]:
    bald = scm.counterfactual_probability({"Bald": 1}, FACTS, do={"Young": 0})
    return bald, scm.probability({"Male": 1}, do={"Mustache": 1})


def ask_pgmpy(scm: cf.LabelSCM) -> tuple[float, float]:
    """Evidence in the twin network is the counterfactual; do cuts the arrows into Mustache."""
    from pgmpy.inference import VariableElimination

    twin = VariableElimination(scm.to_pgmpy(twin=True, do={"Young": 0}))
    cut = VariableElimination(scm.to_pgmpy(do={"Mustache": 1}))
    bald = twin.query(["Bald_cf"], evidence=FACTS, show_progress=False)
    male = cut.query(["Male"], show_progress=False)
    return float(bald.get_value(Bald_cf=1)), float(male.get_value(Male=1))


def ask_dowhy(scm: cf.LabelSCM) -> tuple[float, float]:
    import pandas as pd
    from dowhy import gcm

    np.random.seed(0)
    model, rows = scm.to_dowhy(), pd.DataFrame([{**FACTS, "Mustache": 0}] * N)
    old = gcm.counterfactual_samples(model, {"Young": lambda young: 0}, observed_data=rows)
    bearded = gcm.interventional_samples(model, {"Mustache": lambda mustache: 1}, num_samples_to_draw=N)
    return float(old["Bald"].mean()), float(bearded["Male"].mean())


def ask_pyro(scm: cf.LabelSCM) -> tuple[float, float]:
    """Counterfactuals by chirho: both worlds share the noise, and the people like the facts count."""
    import pyro
    from chirho.counterfactual.handlers import MultiWorldCounterfactual
    from chirho.interventional.handlers import do

    pyro.set_rng_seed(0)
    worlds, old = MultiWorldCounterfactual(first_available_dim=-2), do(actions={"Young": torch.tensor(0.0)})
    with worlds, old, pyro.plate("people", N, dim=-1):
        drawn = scm.to_pyro()()
    (young, _), (bald, then) = drawn["Young"].reshape(2, N), drawn["Bald"].reshape(2, N)
    like = (young == 1) & (drawn["Male"] == 1) & (bald == 0)
    with pyro.plate("others", N):
        bearded = pyro.do(scm.to_pyro(), data={"Mustache": torch.tensor(1.0)})()
    return float(then[like].mean()), float(bearded["Male"].mean())


def main() -> None:
    scm = label_model()
    print("                  P(Bald* = 1 | not bald, do old)   P(Male = 1 | do(Mustache = 1))")
    tools = {"causalcf": ask_causalcf, "pgmpy": ask_pgmpy, "dowhy": ask_dowhy, "Pyro, chirho": ask_pyro}
    for name, ask in tools.items():
        try:
            bald, male = ask(scm)
        except (ImportError, cf.CausalCFError) as error:
            print(f"{name:<18}not asked: {error}")
        else:
            print(f"{name:<18}{bald:<34.4f}{male:.4f}")


if __name__ == "__main__":
    main()
