"""`LabelSCM` on the actual world: exact queries against enumeration, samplers against the exact law."""

import math

import numpy as np
import pytest
import torch
from helpers.label_oracles import ALPHA, cases, chi_square, events
from hypothesis import given
from hypothesis import strategies as st

from causalcf.errors import CausalCFError, GraphError, ImpossibleWorldError, IntractableError
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM, NeuralMechanism, ResponseMechanism, TableMechanism, empirical_joint

GRAPH = CausalGraph(
    {"Young": [], "Male": [], "Bald": ["Male", "Young"], "Smiling": ["Bald"], "Glasses": ["Young", "Smiling"]}
)
SCM = LabelSCM.from_probabilities(
    GRAPH,
    {
        "Young": 0.7,
        "Male": 0.4,
        "Bald": [[0.0, 0.1], [0.6, 0.3]],
        "Smiling": [0.5, 0.2],
        "Glasses": [[0.4, 0.3], [0.1, 0.05]],
    },
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def complete(d: int) -> LabelSCM:
    """A complete graph with a network for each node, as graphs too large for tables are fitted."""
    names = [f"A{i}" for i in range(d)]
    g = seeded()
    mechanisms = {
        name: NeuralMechanism(
            torch.tensor(0.2),
            torch.randn(i, generator=g) / 2,
            torch.randn(3, i, generator=g),
            torch.ones(3),
            torch.ones(3),
        )
        for i, name in enumerate(names)
    }
    return LabelSCM(CausalGraph({name: names[:i] for i, name in enumerate(names)}), mechanisms)


@given(st.data())
def test_probability_matches_enumeration(data):
    case = data.draw(cases())
    event, held, do = (data.draw(events(case.graph)) for _ in range(3))
    if any(do.get(name, value) != value for name, value in held.items()):
        with pytest.raises(ImpossibleWorldError, match="given and do"):
            case.scm.probability(event, given=held, do=do)
        return
    both, below = case.probability(event, held, do)
    if below == 0:
        with pytest.raises(ImpossibleWorldError, match=r"|".join(f"{name}={value}" for name, value in held.items())):
            case.scm.probability(event, given=held, do=do)
    else:
        assert case.scm.probability(event, given=held, do=do) == pytest.approx(both / below, abs=1e-10)


@given(st.data())
def test_joint_and_log_probability_match_enumeration(data):
    case = data.draw(cases())
    do = data.draw(events(case.graph))
    law = case.joint(do)
    table = case.scm.joint(do)
    for cell, weight in law.items():
        assert float(table[cell]) == pytest.approx(weight, abs=1e-12)
    plain = case.joint()
    logs = case.scm.log_probability(np.array(list(plain)))
    np.testing.assert_allclose(logs.exp().numpy(), list(plain.values()), atol=1e-12)


@pytest.mark.parametrize(
    "query",
    [{}, {"do": {"Bald": 1}}, {"given": {"Glasses": 1}}, {"given": {"Glasses": 1, "Young": 0}, "do": {"Smiling": 0}}],
    ids=["plain", "do", "given", "both"],
)
def test_samples_follow_the_exact_law(query):
    n = 20_000
    labels = SCM.sample(n, generator=seeded(1), **query)
    assert labels.dtype == torch.int8 and labels.shape == (n, 5)
    law = SCM.joint(query.get("do"))
    mask = torch.zeros_like(law)
    index = tuple(query.get("given", {}).get(name, slice(None)) for name in GRAPH.nodes)
    mask[index] = 1
    law = law * mask / (law * mask).sum()
    counts = empirical_joint(labels).numpy() * n
    assert chi_square(counts, law.numpy() * n) > ALPHA
    wrong = SCM.joint({"Young": 1}) if query else SCM.joint({"Male": 1})
    assert chi_square(counts, wrong.numpy() * n) < ALPHA, "negative control"


def test_samples_given_one_value_for_each_unit():
    given_young = torch.tensor([0, 1]).repeat_interleave(20_000)
    labels = SCM.sample(40_000, given={"Young": given_young, "Smiling": 1}, generator=seeded(2))
    assert torch.equal(labels[:, 0].long(), given_young) and bool((labels[:, 3] == 1).all())
    for young, rows in ((0, labels[:20_000]), (1, labels[20_000:])):
        law = SCM.joint().select(0, young).select(2, 1)
        law = law / law.sum()
        counts = empirical_joint(rows[:, [1, 2, 4]]).numpy() * 20_000
        assert chi_square(counts, law.numpy() * 20_000) > ALPHA
        other = SCM.joint().select(0, 1 - young).select(2, 1)
        assert chi_square(counts, (other / other.sum()).numpy() * 20_000) < ALPHA, "negative control"


def test_noise_gives_the_same_law_and_abduction_gives_the_labels_back():
    noise = SCM.sample_noise(20_000, seeded(3))
    labels = SCM.respond(noise)
    assert chi_square(empirical_joint(labels).numpy() * 20_000, SCM.joint().numpy() * 20_000) > ALPHA
    again = SCM.abduct(labels, seeded(4))
    assert torch.equal(SCM.respond(again), labels) and not torch.equal(again, noise)
    done = SCM.respond(noise, do={"Bald": 1})
    assert bool((done[:, 2] == 1).all()) and torch.equal(done[:, :2], labels[:, :2])


@pytest.mark.parametrize("query", [{}, {"given": {"A3": 1}}, {"do": {"A0": 1}, "given": {"A2": 0}}])
def test_the_rows_drawn_do_not_depend_on_the_number_of_threads(query, monkeypatch):
    monkeypatch.setattr("causalcf.labels.elimination._ROWS", 64)
    scm, threads, drawn = complete(5), torch.get_num_threads(), []
    try:
        for number in (1, 2, 5):
            torch.set_num_threads(number)
            drawn.append(scm.sample(1000, generator=seeded(), **query))
            assert torch.get_num_threads() == number
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(drawn[0], drawn[1]) and torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0][:64], drawn[0][64:128]), "every part has noise of its own"


QUERIES = [
    {"given": {"Glasses": 1}},
    {"given": {"Glasses": 1, "Young": 0}, "do": {"Smiling": 0}},
    {"given": {"Male": 1, "Bald": 1, "Glasses": 0}},
]


@pytest.mark.parametrize("query", QUERIES)
def test_rejection_follows_the_exact_law_where_tables_are_too_large(query, monkeypatch):
    monkeypatch.setattr("causalcf.labels.elimination.MAX_CELLS", 1)
    with pytest.raises(IntractableError, match=r"\bsample\b"):
        SCM.probability({"Glasses": 1})
    test_samples_follow_the_exact_law(query)
    assert torch.equal(SCM.sample(500, generator=seeded(), **query), SCM.sample(500, generator=seeded(), **query))


def test_rejection_takes_one_value_for_each_unit_and_refuses_what_is_impossible_or_rare(monkeypatch):
    monkeypatch.setattr("causalcf.labels.elimination.MAX_CELLS", 1)
    test_samples_given_one_value_for_each_unit()
    with pytest.raises(ImpossibleWorldError, match="Bald=1"):
        SCM.sample(5, given={"Bald": 1, "Male": 0, "Young": 0, "Glasses": 1})
    assert SCM.sample(0, given={"Glasses": 1}).shape == (0, 5)
    monkeypatch.setattr("causalcf.labels.elimination.MAX_TRIES", 2000)
    rare = LabelSCM.from_probabilities(CausalGraph({"A": [], "B": ["A"]}), {"A": 0.5, "B": [1e-9, 1e-9]})
    with pytest.raises(IntractableError, match=r"\bgave 0 of 2 rows\b.*\blikelier\b"):
        rare.sample(2, given={"B": 1})


def test_forty_labels_are_drawn_given_the_last_of_them():
    """Oracle: rows drawn without a condition, of which those that show it are kept."""
    scm, n = complete(40), 20_000
    found = scm.sample(n, given={"A39": 1}, generator=seeded(1))
    free = scm.sample(4 * n, generator=seeded(2))
    kept, others = free[free[:, 39] == 1], free[free[:, 39] == 0]
    assert bool((found[:, 39] == 1).all()) and len(kept) > 1000 and len(others) > 1000
    assert max(distances(found, kept)) < 4.9 + 0.5  # standard errors: alpha over 39 labels
    assert max(distances(others, kept)) > 10, "negative control"


def distances(first: torch.Tensor, second: torch.Tensor) -> list[float]:
    """Differences of the first 39 labels' rates in standard errors."""
    p, q = first[:, :39].double().mean(0), second[:, :39].double().mean(0)
    error = (p * (1 - p) / len(first) + q * (1 - q) / len(second)).sqrt()
    return ((p - q).abs() / error.clamp(min=1e-9)).tolist()


def test_sampling_repeats_with_its_generator_and_leaves_global_state_alone():
    before = torch.get_rng_state()
    first, second = SCM.sample(50, generator=seeded(5)), SCM.sample(50, generator=seeded(5))
    other, unseeded = SCM.sample(50, generator=seeded(6)), SCM.sample(50)
    assert torch.equal(first, second) and not torch.equal(first, other) and not torch.equal(first, unseeded)
    assert torch.equal(before, torch.get_rng_state())


def test_large_graph_is_answered_where_possible_and_refused_elsewhere():
    scm = complete(40)
    labels = scm.sample(200, given={"A0": 1, "A3": 0}, generator=seeded())
    assert bool((labels[:, 0] == 1).all()) and bool((labels[:, 3] == 0).all())
    assert bool(scm.log_probability(labels).isfinite().all())
    p = scm.probability({"A3": 1}, given={"A1": 0})
    assert p == pytest.approx(complete(4).probability({"A3": 1}, given={"A1": 0}), abs=1e-12)
    everything = dict(zip(scm.graph.nodes, labels[0].tolist(), strict=True))
    assert scm.probability(everything) == pytest.approx(math.exp(float(scm.log_probability(labels[:1]))), rel=1e-9)
    with pytest.raises(IntractableError, match=r"\b39\b.*\(A0, A1, A2, .*\b2\^39\b.*\b2\^22\b"):
        scm.probability({"A39": 1})
    with pytest.raises(IntractableError, match=r"\b2\^40\b"):
        scm.joint()


def test_long_chain_is_answered_and_does_not_underflow():
    names = [f"N{i}" for i in range(400)]
    graph = CausalGraph({name: names[max(0, i - 1) : i] for i, name in enumerate(names)})
    flip = 1e-3
    scm = LabelSCM.from_probabilities(graph, {name: [flip, 1 - flip] if i else 0.5 for i, name in enumerate(names)})
    expected = (1 + (1 - 2 * flip) ** 399) / 2
    assert scm.probability({"N399": 1}, given={"N0": 1}) == pytest.approx(expected, abs=1e-12)
    alternating = {name: i % 2 for i, name in enumerate(names)}  # probability 1e-3^399 / 2: below any float64
    assert scm.probability({"N0": 0}, given={n: v for n, v in alternating.items() if n != "N0"}) == pytest.approx(
        flip, abs=1e-15
    )


def test_grid_that_is_too_wide_is_refused_before_any_work():
    side = 24
    listing = {(i, j): [p for p in ((i - 1, j), (i, j - 1)) if min(p) >= 0] for i in range(side) for j in range(side)}
    text = {f"{i}-{j}": [f"{a}-{b}" for a, b in parents] for (i, j), parents in listing.items()}
    scm = LabelSCM.from_probabilities(CausalGraph(text), {n: np.full((2,) * len(p), 0.5) for n, p in text.items()})
    with pytest.raises(IntractableError, match=r"\b2\^19\b.*\b2\^24\b"):
        scm.probability({"0-0": 1}, given={f"{side - 1}-{side - 1}": 1})


@pytest.mark.parametrize(
    ("query", "error", "culprit"),
    [
        ({"event": {"Balt": 1}}, CausalCFError, "event.*'Balt'.*'Bald'"),
        ({"event": {"Bald": 2}}, CausalCFError, "event Bald=2"),
        ({"event": {"Bald": float("nan")}}, CausalCFError, "event Bald=nan"),
        ({"event": {"Bald": "yes"}}, CausalCFError, "event.*yes"),
        ({"event": {"Bald": ["0", "no"]}}, CausalCFError, r"event.*'Bald', row 1\b.*'no'"),
        ({"event": {"Bald": None}}, CausalCFError, "event Bald=None"),
        ({"event": "Bald"}, CausalCFError, "event='Bald'"),
        ({"event": {}, "given": {"Bald": 1}, "do": {"Bald": 0}}, ImpossibleWorldError, "given and do.*'Bald'"),
        ({"event": {}, "given": {"Bald": 1, "Male": 0, "Young": 0}}, ImpossibleWorldError, "Bald=1, Male=0, Young=0"),
        ({"event": {"Bald": [0, 1]}}, CausalCFError, "probability.*one value"),
    ],
)
def test_bad_queries_name_the_culprit(query, error, culprit):
    with pytest.raises(error, match=culprit):
        SCM.probability(**query)


def test_bad_samples_name_the_culprit():
    with pytest.raises(ImpossibleWorldError, match=r"Bald=1 \(unit 1\)|Bald=1, Male=0"):
        SCM.sample(2, given={"Bald": 1, "Male": [1, 0], "Young": [0, 0]})
    with pytest.raises(CausalCFError, match=r"sample\b.*\b3\b.*\b2\b"):
        SCM.sample(2, do={"Bald": [1, 0, 1]})
    with pytest.raises(CausalCFError, match=r"respond\b.*\b3\b.*\b2\b"):
        SCM.respond(torch.rand(2, 5), do={"Bald": [1, 0, 1]})
    with pytest.raises(CausalCFError, match=r"joint.*one value"):
        SCM.joint(do={"Bald": [1, 0]})
    with pytest.raises(CausalCFError, match=r"\(1, 2\).*\(n, 5\)"):
        SCM.log_probability([[0, 1]])
    with pytest.raises(ImpossibleWorldError, match=r"\bBald, row 1\b"):
        SCM.abduct([[1, 1, 1, 0, 0], [0, 0, 1, 0, 0]])


def test_malformed_models_name_the_culprit():
    graph = CausalGraph({"Young": [], "Bald": ["Young"]})
    for tables, culprit in [
        ({"Young": 0.5}, "mechanisms.*'Bald'"),
        ({"Young": 0.5, "Bald": 0.1}, r"'Bald'.*\(\).*\bYoung\b"),
        ({"Young": [0.5, 0.5], "Bald": 0.1}, r"'Young'.*\(2,\).*\bone number\b"),
        ({"Young": 0.5, "Bald": [0.1, 1.2]}, r"'Bald'.*\b1\.2\b"),
        ({"Young": 0.5, "Bald": [0.1, math.nan]}, r"'Bald'.*\bnan\b"),
        ({"Young": 0.5, "Bald": [0.1, 0.2, 0.3]}, r"'Bald'.*\(3,\)"),
        ({"Young": 0.5, "Bald": [0.1, 0.2], "Balt": 0.1}, "'Balt'.*'Bald'"),
        ({"Young": 0.5, "Bald": {"Young=0": 0.1}}, r"'Bald'.*\bdict\b.*\(names, array\).*\bYoung$"),
        ({"Young": 0.5, "Bald": (("Yung",), [0.1, 0.2])}, r"'Bald'.*\(Yung\).*\bYoung$"),
        ({"Young": 0.5, "Bald": ((), [0.1, 0.2])}, r"'Bald'.*\(\).*\bYoung$"),
        ({"Young": 0.5, "Bald": (("Young", "Young"), [[0.1, 0.2]] * 2)}, r"'Bald'.*\(Young, Young\).*\bYoung$"),
        ({"Young": 0.5, "Bald": (("Young", "Bald"), [[0.1, 0.2]] * 2)}, r"'Bald'.*\(Young, Bald\).*\bYoung$"),
        ({"Young": 0.5, "Bald": ("Young", [[0.1, 0.2]] * 2)}, r"'Bald'.*\(2, 2\).*\(Young\)"),
        ({"Young": 0.5, "Bald": ("Young", [0.1, -0.2])}, r"'Bald'.*-0\.2\b"),
        ({"Young": (("Bald",), 0.5), "Bald": [0.1, 0.2]}, r"'Young'.*\(Bald\).*\bone number\b"),
    ]:
        with pytest.raises(GraphError, match=culprit):
            LabelSCM.from_probabilities(graph, tables)


@given(st.data())
def test_tables_that_name_their_axes_mean_the_same_in_every_order(data):
    case = data.draw(cases(5, 4, kinds=("threshold",)))
    named = {}
    for node in case.graph.nodes:
        parents, table = case.graph.parents(node), case.scm.mechanisms[node].table
        order = data.draw(st.permutations(range(len(parents))))
        named[node] = (tuple(parents[i] for i in order), table.permute(order).tolist())
    assert torch.equal(LabelSCM.from_probabilities(case.graph, named).joint(), case.scm.joint())


def test_a_single_parent_may_be_named_alone_and_arrays_need_no_names():
    graph, expected = CausalGraph({"Young": [], "Bald": ["Young"]}), {"Young": 0.5, "Bald": [0.1, 0.2]}
    law = LabelSCM.from_probabilities(graph, expected).joint()
    for bald in (("Young", [0.1, 0.2]), (("Young",), np.array([0.1, 0.2])), [["Young"], (0.1, 0.2)], (0.1, 0.2)):
        assert torch.equal(LabelSCM.from_probabilities(graph, {"Young": ((), 0.5), "Bald": bald}).joint(), law)


def test_state_round_trip_is_exact(tmp_path):
    bits = (torch.rand(4, 64, generator=seeded()) < 0.4).to(torch.uint8)
    graph = CausalGraph({"A": [], "B": [], "C": ["B", "A"], "D": ["C", "A"]})
    neural = NeuralMechanism(*(torch.randn(s, generator=seeded()) for s in ((), (2,), (3, 2), (3,), (3,))))
    scm = LabelSCM(
        graph, {"A": TableMechanism(0.3), "B": TableMechanism(0.1), "C": ResponseMechanism(bits), "D": neural}
    )
    torch.save(scm.to_state(), tmp_path / "scm.pt")
    again = LabelSCM.from_state(torch.load(tmp_path / "scm.pt", weights_only=True))
    assert again.graph == graph and torch.equal(again.joint(), scm.joint())
    assert torch.equal(again.sample(100, generator=seeded(9)), scm.sample(100, generator=seeded(9)))
    broken = scm.to_state()
    broken["mechanisms"]["A"]["kind"] = "tabel"
    with pytest.raises(CausalCFError, match=r"'tabel'.*'table'"):
        LabelSCM.from_state(broken)
