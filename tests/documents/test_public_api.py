"""Every public function refuses wrong shapes, ranges, names, types and devices, and names the argument."""

import inspect
import re

import pytest
from helpers import image_refusals, label_refusals

import causalcf as cf

REFUSED = {**label_refusals.REFUSED, **image_refusals.REFUSED}
# What needs no argument, or only holds what functions of the library put together.
NOTHING_TO_REFUSE = {
    "CausalGraph.roots",
    "CausalGraph.to_networkx",
    "CausalGraph.without_edges",
    "CounterfactualNoise",
    "CounterfactualWorlds",
    "LabelSCM.to_dowhy",
    "LabelSCM.to_pgmpy",  # what its options refuse is refused by variables, which needs no package
    "LabelSCM.to_pyro",
    "LabelSCM.to_state",
    "Recipe.to_dict",
    "Worlds",
    "Worlds.without_residual",
    "esm",
}


def public_names():
    """Functions, classes and their methods that `causalcf` shows, without errors and fields."""
    names = {"esm.DiscreteSCM", "esm.DiscreteSCM.probability", "esm.DiscreteSCM.counterfactual_probability"}
    for name in cf.__all__:
        shown = getattr(cf, name)
        if isinstance(shown, str) or (inspect.isclass(shown) and issubclass(shown, Exception)):
            continue
        names.add(name)
        if inspect.isclass(shown):
            methods = [m for m in dir(shown) if not m.startswith("_") and callable(getattr(shown, m))]
            names |= {f"{name}.{method}" for method in methods}
    return names


def test_every_public_name_is_held_to_it():
    assert set(REFUSED) | NOTHING_TO_REFUSE == public_names()
    assert not set(REFUSED) & NOTHING_TO_REFUSE
    assert all(REFUSED.values())


CALLS = [(name, word, call) for name, calls in REFUSED.items() for word, call in calls]


@pytest.mark.parametrize(
    ("word", "call"),
    [call[1:] for call in CALLS],
    ids=[f"{name}-{word}-{i}" for i, (name, word, _) in enumerate(CALLS)],
)
def test_what_is_wrong_is_refused_in_a_sentence(word, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(cf.CausalCFError) as caught:
        call()
    said = str(caught.value)
    assert re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said) and "\n" not in said and len(said) < 1500
