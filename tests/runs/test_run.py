"""A loaded run: worlds under do() and given(), alike in any batch, and figures drawn from a toy generator."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers.noise_oracles import ALPHA
from scipy.stats import kstest

from causalcf.answers.answer import answer
from causalcf.ask import main as run_ask
from causalcf.errors import CausalCFError, ImpossibleWorldError, RecipeError, RunError, UnreachedError
from causalcf.graph.graph import CausalGraph
from causalcf.labels.distance import pairwise_of_labels, pairwise_of_scm, tables_markdown
from causalcf.language.query import Query
from causalcf.networks.precision import autocast, choose_device, choose_precision
from causalcf.pictures.gallery import counterfactuals, diversity, do_versus_given, interpolation, label_flips
from causalcf.runs.directory import load_checkpoint
from causalcf.runs.loading import load_run
from causalcf.runs.recipe import Recipe
from causalcf.runs.run import Run


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_shapes_ranges_and_do(runs):
    run = load_run(runs / "a" / "latest")
    worlds = run.sample(300, do={"Bald": 1}, given={"Male": 0}, generator=seeded())
    assert worlds.noise.shape == (300, 5) and worlds.images.shape == (300, 3, 64, 64)
    assert worlds.images.min() >= 0 and worlds.images.max() <= 1 and worlds.images.std() > 0.01
    columns = {name: worlds.labels[:, i] for i, name in enumerate(run.graph.nodes)}
    assert (columns["Bald"] == 1).all() and (columns["Male"] == 0).all()
    readings = run.classify(worlds.images)
    assert readings.shape == (300, 9) and ((readings > 0) & (readings < 1)).all()


def test_the_same_seed_gives_the_same_noise_under_do_and_given(runs):
    run = load_run(runs / "a" / "latest")
    first = run.sample(20, do={"Male": 1}, generator=seeded(3))
    second = run.sample(20, given={"Male": 1}, generator=seeded(3))
    assert torch.equal(first.noise, second.noise)
    again = run.sample(20, do={"Male": 1}, generator=seeded(3))
    assert torch.equal(first.images, again.images) and torch.equal(first.labels, again.labels)


@pytest.mark.parametrize("name", ["a", "b"])
def test_drawing_without_a_generator_leaves_the_global_random_state_alone(runs, name):
    run, state = load_run(runs / name / "latest"), torch.get_rng_state()
    first, second = run.sample_noise(4), run.sample(4).noise
    assert torch.equal(torch.get_rng_state(), state) and not torch.equal(first, second)
    torch.set_rng_state(state)
    assert not torch.equal(run.sample_noise(4), first)


def is_uniform(noise, reach):
    return kstest(noise.flatten().numpy(), "uniform", (-reach, 2 * reach)).pvalue > ALPHA


@pytest.mark.parametrize("truncation", [1.0, 0.6])
def test_noise_is_drawn_and_redrawn_within_the_truncation(runs, truncation):
    run = load_run(runs / "a" / "latest")
    run = replace(run, recipe=replace(run.recipe, truncation=truncation))
    worlds = run.sample(200, generator=seeded())
    assert is_uniform(worlds.noise, truncation) and not is_uniform(worlds.noise, 0.7 * truncation)
    found = run.counterfactual(worlds, do={"Male": 1}, stickiness=0.5, draws=4, generator=seeded(1))
    moved = found.noise[found.noise != worlds.noise[:, None]]
    assert len(moved) > 1000 and is_uniform(moved, truncation)


def test_a_run_without_labels_is_not_truncated():
    run = grey_run(1.1)  # whose faces are all bald, so that the search has no say
    run = replace(run, recipe=replace(run.recipe, truncation=0.6))
    worlds = run.sample(500, given={"Bald": 1}, generator=seeded())
    found = run.counterfactual(
        worlds.select(torch.arange(20)), observe={"Bald": 1}, stickiness=0, draws=50, generator=seeded()
    )
    for noise in (run.sample_noise(500, seeded()), worlds.noise, found.noise):
        assert is_uniform(noise, 1.0) and not is_uniform(noise, 0.6)


def test_an_image_does_not_depend_on_the_batch_it_is_drawn_in(runs):
    run = load_run(runs / "a" / "latest")
    worlds = run.sample(9, generator=seeded())
    alone = torch.cat([run.generate(worlds.noise[i : i + 1], worlds.labels[i : i + 1]) for i in range(9)])
    assert torch.allclose(worlds.images, alone, atol=1e-5)
    assert (worlds.images[0] - worlds.images[1]).abs().max() > 1e-3  # images do differ


def test_conditional_has_the_labels_and_no_edges(runs):
    run = load_run(runs / "c" / "latest")
    assert run.graph.edges == () and len(run.graph.nodes) == 9
    assert run.labels.probability({"Male": 1}, given={"Mustache": 1}) == pytest.approx(
        run.labels.probability({"Male": 1}), abs=1e-12
    )


def test_a_dcgan_run_has_no_labels_to_ask_for(runs):
    run = load_run(runs / "b" / "latest")
    assert run.sample(3, generator=seeded()).labels.shape == (3, 0)
    with pytest.raises(RunError, match=r"\bdcgan\b.*\bdo="):
        run.sample(3, do={"Bald": 1})
    for ask in (lambda: run.classify(torch.zeros(1, 3, 64, 64)), lambda: run.sample(3, given={"Bald": 1})):
        with pytest.raises(RunError, match=r"\bdcgan\b.*\bclassifier="):
            ask()


FLOATS = [torch.float64, torch.float16, torch.bfloat16]


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("name", ["a", "b"])
def test_numbers_of_any_type_are_taken_as_numpy_gives_them(runs, name, kind):
    run = load_run(runs / name / "latest")
    noise = (torch.rand(3, 5, generator=seeded()) * 2 - 1).to(kind)
    labels = torch.randint(0, 2, (3, 9), generator=seeded())
    images = run.generate(noise, labels)
    for same in (labels.bool(), labels.to(kind), labels.byte()):
        assert torch.equal(run.generate(noise.float(), same), images)
    assert images.dtype == torch.float32 and len(run.generate(noise[:0], labels[:0])) == 0
    if run.labels is not None:
        assert torch.equal(run.classify(images.to(kind)), run.classify(images.to(kind).float()))
        assert run.classify(images[:0]).shape == (0, 9)
        worlds = replace(run.sample(3, generator=seeded()), noise=noise)
        assert run.counterfactual(worlds, do={"Male": 1}, generator=seeded()).noise.dtype == kind


@pytest.mark.parametrize(
    ("ask", "culprit"),
    [
        (lambda run, w: run.generate(w.noise, w.labels + 2), r"\bYoung\b.*row 0.*\b[23]\b.*\[0, 1\]"),
        (lambda run, w: run.generate(w.noise, w.labels - 0.5), r"row \d.*-0\.5\b"),
        (lambda run, w: run.generate(w.noise, w.labels[:, 0]), r"labels.*\(2,\).*\(2, 9\)"),
        (lambda run, w: run.generate(w.noise, w.labels.tolist()), r"labels.*list"),
        (lambda run, w: run.generate(w.noise, w.labels.to(torch.complex64)), "labels.*complex64"),
        (lambda run, w: run.generate(w.noise.numpy(), w.labels), "noise.*ndarray.*from_numpy"),
        (lambda run, w: run.generate(w.noise[..., None, None], w.labels), r"noise.*\(2, 5, 1, 1\).*\(n, 5\)"),
        (lambda run, w: run.classify((w.images * 255).byte()), "images.*uint8.*/ 255"),
        (lambda run, w: run.classify(w.images.movedim(1, 3).double()), r"images.*\(2, 64, 64, 3\)"),
        (lambda run, w: run.counterfactual(replace(w, noise=w.noise * 9), do={"Male": 1}), r"worlds\.noise.*\[-1, 1\]"),
        (lambda run, w: run.counterfactual(replace(w, noise=w.noise / 0), do={"Male": 1}), r"worlds\.noise"),
        (
            lambda run, w: run.counterfactual(replace(w, noise=w.noise[:, 1:]), do={"Male": 1}),
            r"worlds\.noise.*\(2, 4\)",
        ),
        (lambda run, w: run.counterfactual(replace(w, images=w.images[:1]), do={"Male": 1}), r"worlds.*\[2, 2, 1\]"),
        (lambda run, w: run.counterfactual(replace(w, labels=w.labels[:1]), do={"Male": 1}), r"worlds.*\[2, 1, 2\]"),
        (lambda run, w: run.counterfactual(replace(w, images=w.images * 2), do={"Male": 1}), r"images.*\[0, 1\]"),
        (
            lambda run, w: run.counterfactual(w.select(torch.zeros(0, dtype=torch.long)), do={"Male": 1}),
            r"\[0, 0, 0\]",
        ),
    ],
)
def test_numbers_that_are_no_world_are_named(runs, ask, culprit):
    run = load_run(runs / "a" / "latest")
    with pytest.raises(CausalCFError, match=culprit):
        ask(run, run.sample(2, generator=seeded()))


def test_impossible_conditions_and_missing_runs_are_errors(runs, tmp_path):
    run = load_run(runs / "a" / "latest")
    with pytest.raises(ImpossibleWorldError):
        run.sample(3, do={"Male": 1}, given={"Male": 0})
    with pytest.raises(RunError, match=r"/lates\b.*/latest\b"):
        load_run(runs / "a" / "lates")
    with pytest.raises(RunError, match=rf"{tmp_path} .*\bcheckpoint\.pt\b"):
        load_run(tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"torn")
    with pytest.raises(RunError, match=rf"{tmp_path}/checkpoint\.pt .*damaged"):
        load_checkpoint(tmp_path)


GREY = CausalGraph({"Bald": [], "Young": []})


def grey_run(rate):
    """A dcgan that paints its first noise; its classifier sees that share of its faces as bald, and nobody as young."""

    def generator(z, labels):
        return z[:, :1, None, None].expand(-1, 3, 64, 64)

    def antecedent_classifier(images):
        bald = (images[:, 0, 0, 0] < rate).float()
        return torch.stack([bald, torch.zeros(len(images))], 1)

    recipe = Recipe(noise_dim=2, approach="dcgan")
    return Run(
        Path("grey"), recipe, GREY, None, 1, generator, None, antecedent_classifier, torch.device("cpu"), "float32"
    )


def test_a_run_without_labels_tells_of_its_search_for_what_is_given():
    found = []
    worlds = grey_run(0.01).sample(9, given={"Bald": 1}, generator=seeded(), on_world=found.append)
    assert sum(found) == len(worlds) == 9 and len(found) > 1
    assert worlds.labels[:, 0].all() and (worlds.noise[:, 0] < -0.98).all()


def test_a_run_without_labels_gives_up_at_the_budget():
    with pytest.raises(UnreachedError, match=r"\b0 of 9\b.*\bBald=1\b.*\b700\b"):
        grey_run(0).sample(9, given={"Bald": 1}, budget=700)
    with pytest.raises(UnreachedError, match=r"\b0 of 2\b.*\bBald=1\b.*\b600\b"):
        answer(grey_run(0), Query({"Bald": 1}, {"Young": 0}, "observe"), faces=2, budget=300)


def test_a_run_without_labels_reads_the_antecedent_in_every_draw_though_batch_sizes_round():
    def rough(z, labels):
        return z[:, :1, None, None].expand(-1, 3, 64, 64) * 0.9 + (0.01 * math.sin(len(z)) if len(z) > 1 else 0)

    def soft(images):
        return ((0.5 - images[:, :2, 0, 0]) * 20).sigmoid()

    run = replace(grey_run(0), generator=rough, antecedent_classifier=soft)
    worlds, contrary = run.sample(2, given={"Young": 1}, generator=seeded()), 0
    for draws in range(40, 50):
        found = run.counterfactual(worlds, observe={"Bald": 1}, stickiness=0.1, draws=draws, generator=seeded(draws))
        assert (found.labels[..., 0] == 1).all()
        drawn = found.noise[(found.noise != worlds.noise[:, None]).any(2)]
        contrary += int((soft(run.generate(drawn))[:, 0] <= 0.5).sum())
    assert contrary  # read together, some contradict what they were drawn for


def test_the_noise_of_a_photograph_is_one_part_in_a_run_without_labels():
    run = grey_run(1.1)
    worlds = run.sample(40, given={"Bald": 1}, generator=seeded())
    asked = {"observe": {"Bald": 1}, "stickiness": 0.5, "draws": 10, "generator": seeded(1)}
    for residual, whole in ((None, False), (torch.zeros_like(worlds.images), True)):
        found = run.counterfactual(replace(worlds, residual=residual), **asked)
        kept = (found.noise == worlds.noise[:, None]).sum(2)
        assert int((kept == 2).sum()) > 60 and bool((kept == 1).any()) != whole


def test_asking_a_run_without_labels_shows_both_searches(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("causalcf.runs.loading.load_run", lambda *_: grey_run(0.05))
    flags = ["--given", "Bald=1", "--if", "Young=0", "-n", "3", "--draws", "1", "--out", str(tmp_path / "ask.png")]
    assert run_ask([*flags, "--budget", "300"]) == 0
    assert "6/6" in capsys.readouterr().err
    with pytest.raises(UnreachedError, match=r"\bBald=1\b.*\b3\b"):
        run_ask([*flags, "--budget", "1"])


def code_of(noise, labels):
    """A toy generator that paints its labels: pixel (0, column) of the red plane is the label."""
    images = torch.zeros(len(labels), 3, 1, labels.shape[1])
    images[:, 0, 0] = labels.float()
    return images


def test_figures_show_the_labels_they_name(runs):
    run = load_run(runs / "a" / "latest")
    names, noise = run.graph.nodes, torch.zeros(9, 5)
    labels = run.labels.sample(9, generator=seeded())
    male = names.index("Male")
    rows = dict(do_versus_given(code_of, run.labels, "Male", noise))
    assert list(rows) == ["do(Male=1)", "given(Male=1)"]
    assert all((images[:, 0, 0, male] == 1).all() for images in rows.values())
    flips = dict(label_flips(code_of, run.labels, noise, labels))
    changed = (flips["Male flipped"] != flips["as drawn"])[:, 0, 0]
    assert changed[:, male].all() and changed.sum() == 9
    answers = dict(counterfactuals(code_of, run.labels, noise, labels))
    moved = (answers["do(Male flipped)"] != answers["actual"])[:, 0, 0]
    assert moved[:, male].all() and not moved[:, names.index("Young")].any()  # no descendant of Male
    titles = [title.split("\n") for title, _ in diversity(code_of, run.labels, noise, labels)]
    assert titles == [
        [name for name, one in zip(names, row, strict=True) if one] or ["none"] for row in labels.tolist()
    ]
    path = dict(interpolation(code_of, run.labels, noise, labels))["Male 0 to 1"]
    assert path[:, 0, 0, male].tolist() == pytest.approx([i / 8 for i in range(9)])


def test_tables_hold_marginals_and_pairs(runs):
    scm = load_run(runs / "a" / "latest").labels
    drawn = pairwise_of_labels(scm.sample(200_000, generator=seeded()))
    assert torch.allclose(drawn, pairwise_of_scm(scm), atol=0.006)
    text = tables_markdown(("A", "B"), {"data": torch.tensor([[0.5, 0.25], [0.25, 0.75]])})
    assert "| A | 0.5000 |" in text and "| B | 0.7500 |" in text and "| A, B | 0.2500 |" in text


def test_precision_is_chosen_by_measurement_and_can_be_set():
    cpu = choose_device("cpu")
    assert choose_precision("bf16", cpu) == "bf16"
    assert choose_precision("auto", cpu) in ("bf16", "float32")
    with autocast(cpu, "bf16"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with autocast(cpu, "float32"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize("name", ["meta", "tpu", "cuda:99", ""])
def test_a_device_that_computes_nothing_is_refused_by_name(name):
    with pytest.raises(RecipeError, match=f"device '{name}' cannot be used .*here: auto, cpu"):
        choose_device(name)


def test_interventions_that_set_no_value_reach_the_images(runs):
    import causalcf as cf

    run = load_run(runs / "a" / "latest")
    worlds = run.sample(400, given={"Young": 1}, generator=seeded())
    greyer = run.counterfactual(worlds, do={"Eyeglasses": cf.Soft(0.5)}, generator=seeded())
    column = run.graph.nodes.index("Eyeglasses")
    before, after = worlds.labels[:, column].bool(), greyer.labels[:, 0, column].bool()
    assert after[before].all() and 0.3 < after[~before].double().mean() < 0.7  # nobody loses them
    same = (greyer.labels[:, 0] == worlds.labels).all(1)
    assert torch.equal(greyer.images[same, 0], worlds.images[same]) and same.any() and not same.all()
    ruled = run.sample(50, do={"Bald": cf.Conditional(lambda Young, Male: Male)}, generator=seeded())
    assert torch.equal(ruled.labels[:, run.graph.nodes.index("Bald")], ruled.labels[:, run.graph.nodes.index("Male")])
