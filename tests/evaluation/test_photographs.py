"""Measures of photographs. Oracle: rendered faces with their true counterfactuals, of runs that are right or wrong."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from causalcf.cli.command import run as run_command
from causalcf.data.faces import true_scm
from causalcf.data.faces.person import LABELS
from causalcf.data.faces.units import counterfactual
from causalcf.errors import CausalCFError, QueryError
from causalcf.eval import main, parse_options
from causalcf.evaluation.approaches import in_order
from causalcf.evaluation.photographs import (
    Photographs,
    _alike,
    _effects,
    held_out_photographs,
    measure_photographs,
    save_drawn_again,
)
from causalcf.graph import CausalGraph
from causalcf.labels import LabelSCM
from causalcf.labels.mechanisms import TableMechanism
from causalcf.runs.counterfactual import CounterfactualWorlds, Worlds

FACES = SimpleNamespace(name="faces")
N = 24


class Oracle:
    """A run that knows who the people are: `wrong` says what it gets wrong."""

    encoder = object()
    labels = true_scm()
    graph = labels.graph

    def __init__(self, photographs, nodes, wrong=""):
        self.photographs, self.nodes, self.wrong = photographs, nodes, wrong

    def abduct(self, images, labels, method, generator=None):
        assert method in ("encoder", "optimise", "tune") and labels.shape == (len(images), len(self.nodes))
        made = images * 0.9 if self.wrong != "blind" else images.flip(0)
        return Worlds(torch.arange(len(images)).float()[:, None], labels, images, images - made)

    def generate(self, noise, labels):
        return self.photographs.images[noise[:, 0].long()] * 0.9

    def counterfactual(self, worlds, do, generator):
        rows = worlds.noise[:, 0].long()
        if self.wrong == "another":
            rows = (rows + 1) % N
        units = self.photographs.units[rows]
        found = units if self.wrong == "unmoved" else counterfactual(units, do)
        return CounterfactualWorlds(worlds.noise[:, None], worlds.labels[:, None], found.images()[:, None])


@pytest.fixture(scope="module")
def photographs(judge):
    return held_out_photographs(FACES, judge.nodes, N, 0)


def measured(judge, photographs, wrong="", **options):
    return measure_photographs(Oracle(photographs, judge.nodes, wrong), judge, photographs, 0, **options)


def test_rendered_photographs_have_their_units(judge, photographs):
    assert torch.equal(photographs.labels, in_order(photographs.units.labels, LABELS, judge.nodes))
    assert torch.equal(photographs.images, photographs.units.images())
    assert not torch.equal(photographs.images, held_out_photographs(FACES, judge.nodes, N, 1).images)


def test_a_run_that_is_right_is_found_right(judge, photographs, monkeypatch):
    monkeypatch.setattr("causalcf.evaluation.photographs.TUNED", 9)
    found = measured(judge, photographs)
    assert list(found) == [f"{way}{rest}" for way in ("encoder", "optimise", "tune") for rest in ("", ", no residual")]
    assert [found[way]["photographs"] for way in ("encoder", "tune")] == [N, 9]
    for way, values in found.items():
        assert values["pixels from the true counterfactual, of 255"]["value"] == pytest.approx(0, abs=1e-4)
        assert values["features from it, of two people alike"]["value"] == pytest.approx(0, abs=1e-4)
        again, ceiling = values["person found again, rank 1"], values["of the true counterfactual, the same"]
        assert again["value"] == ceiling["value"] and again["units"] == values["photographs"]
        assert values["person found again, rank 1"]["value"] > 0.2  # 1 in 24 by chance
        for name in judge.nodes:
            assert values[f"flips shown, {name}"]["value"] > 0.8 and values[f"F1, {name}"] > 0.8
        assert ("PSNR, dB" in values) == ("feature distance" in values) == way.endswith("no residual")
        assert values["labels kept that nothing changes"]["value"] > 0.9
    darker = -10 * (0.1 * photographs.images).square().flatten(1).mean(1).log10().mean()
    assert found["encoder, no residual"]["PSNR, dB"]["value"] == pytest.approx(float(darker), abs=1e-3)
    assert found["encoder"]["null intervention: labels kept"]["value"] == 1
    lost = found["encoder, no residual"]
    cycled = 255 * (1 - 0.9**10) * photographs.images.mean()
    assert lost["L1 after 10 null interventions, of 255"]["value"] == pytest.approx(float(cycled), rel=1e-3)
    assert lost["L1, of 255"]["value"] == pytest.approx(float(25.5 * photographs.images.mean()), rel=1e-3)
    assert "L1 after 10 null interventions, of 255" not in found["optimise, no residual"]


def test_the_order_of_a_runs_labels_does_not_matter(judge, photographs):
    class Turned(Oracle):
        graph = CausalGraph({n: true_scm().graph.parents(n) for n in ("Male", "Young", *true_scm().graph.nodes[2:])})
        labels = LabelSCM(graph, true_scm().mechanisms)

        def abduct(self, images, labels, method, generator=None):
            assert torch.equal(labels, in_order(self.photographs.labels, judge.nodes, self.graph.nodes))
            return super().abduct(images, labels, method, generator)

    assert Turned.graph.nodes[0] == "Male" != judge.nodes[0]
    ours = measured(judge, photographs, methods=["optimise"])
    theirs = measure_photographs(Turned(photographs, judge.nodes), judge, photographs, 0, methods=["optimise"])
    assert list(ours) == ["optimise", "optimise, no residual"]
    for way, values in ours.items():
        for name, value in values.items():
            if "seconds" not in name:
                value, other = (one["value"] if isinstance(one, dict) else one for one in (value, theirs[way][name]))
                assert other == pytest.approx(value, rel=1e-5), (way, name)


@pytest.mark.parametrize("wrong", ["unmoved", "another", "blind"])
def test_each_kind_of_wrong_run_shows_where_it_should(judge, photographs, wrong):
    found = measured(judge, photographs, wrong, methods=["optimise"])
    shown, again = found["optimise"], "person found again, rank 1"
    if wrong == "unmoved":
        assert all(shown[f"flips shown, {name}"]["value"] < 0.2 for name in judge.nodes)
        assert shown["labels kept that nothing changes"]["value"] == 1
        assert shown[again]["value"] == 1
        assert shown["pixels from the true counterfactual, of 255"]["value"] > 1
    elif wrong == "another":
        assert shown[again]["value"] < 0.2
        assert shown["features from it, of two people alike"]["value"] > 0.5
    else:
        assert found["optimise, no residual"]["null intervention: labels kept"]["value"] < 0.95
        assert found["optimise, no residual"]["PSNR, dB"]["value"] < 20


def test_what_drawing_again_changes_is_no_effect_of_a_flip(judge, photographs):
    """Everybody is drawn as somebody else, and no flip changes anything."""

    class Still(Oracle):
        def counterfactual(self, worlds, do, generator):
            return CounterfactualWorlds(worlds.noise[:, None], worlds.labels[:, None], worlds.images[:, None])

    run = Still(photographs, judge.nodes, "blind")
    found = measure_photographs(run, judge, photographs, 0, methods=["optimise"])["optimise, no residual"]
    effects = {name: part["value"] for name, part in found.items() if name.endswith((", seen", ", mean probability"))}
    assert effects and set(effects.values()) == {0}


def test_a_person_is_looked_for_among_those_with_the_same_labels_first():
    labels = torch.tensor([[0, 0], [0, 0], [1, 1], [0, 1]])
    rows = _alike(labels, 0)
    assert rows.shape == (4, 3) and all(i not in row for i, row in enumerate(rows.tolist()))
    assert rows[0].tolist() == [1, 3, 2] and rows[2, 0] == 3


def test_the_command_reports_each_way_of_a_run(runs, judge_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
    for name, few in (("STEPS", 2), ("TUNING_STEPS", 2), ("TRIES", 2)):
        monkeypatch.setattr(f"causalcf.runs.abduction.{name}", few)
    run = (runs / "a" / "latest").resolve()
    flags = ["--photos", "6", "--run", str(run), "--judge", str(judge_folder), "--out", str(tmp_path / "out")]
    assert main(flags) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    found = report["photographs"][run.name]
    assert list(found) == ["optimise", "optimise, no residual", "tune", "tune, no residual"]  # it has no encoder
    assert found["optimise"]["photographs"] == 6 and found["optimise"]["null intervention: labels kept"]["value"] == 1
    text = (tmp_path / "out" / "report.md").read_text()
    assert "Photographs" in text and "flips shown, Bald" in text
    assert "picture" not in found["tune, no residual"] and f"]({found['tune']['picture']})" in text
    with Image.open(tmp_path / "out" / found["tune"]["picture"]) as sheet:
        assert sheet.height > 6 * 64
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("best, middle, worst") >= 2 and "<td>photographs-" not in page


@pytest.mark.parametrize("many", ["3", "-1", "many", "1.5"])
def test_how_many_photographs(many, capsys):
    with pytest.raises(QueryError, match="photo"):
        parse_options([f"--photos={many}"])
    assert run_command(lambda: main([f"--photos={many}"])) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_photographs_alone_or_beside_a_link():
    assert parse_options(["--photos"]).suite.photographs == 500
    asked = parse_options(["--link", "Young:Bald", "--photos", "40"]).suite
    assert asked.photographs == 40 and len(asked.links) == 1


def test_an_effect_on_a_child_is_set_beside_what_the_label_model_expects(judge):
    photographs = held_out_photographs(FACES, judge.nodes, 400, 3)
    run = Oracle(photographs, judge.nodes)
    column = judge.nodes.index("Male")
    values = 1 - photographs.labels[:, column]
    before = photographs.labels
    after = in_order(counterfactual(photographs.units, {"Male": values}).labels, LABELS, judge.nodes)
    changes = {"seen": after - before, "mean probability": 0.5 * (after - before)}
    found = _effects(run, "Male", values, photographs.labels, changes)
    name = next(key for key in found if "effect on Wearing_Lipstick, seen" in key)
    seen, expected = found[name], found[name.replace("seen", "expected")]
    assert expected["value"] < -0.3 and seen["low"] - 0.05 < expected["value"] < seen["high"] + 0.05
    assert found[name.replace("seen", "mean probability")]["value"] == pytest.approx(seen["value"] / 2)
    still = _effects(run, "Male", values, photographs.labels, {"seen": before - before})
    assert still[name]["value"] == 0 and still[name.replace("seen", "expected")] == expected


def test_photographs_of_impossible_labels_are_left_out_and_counted(judge, photographs):
    rows = photographs.labels.clone()
    women = (rows[:, judge.nodes.index("Male")] == 0).nonzero()[:2, 0]
    rows[women, judge.nodes.index("Mustache")] = 1

    none = TableMechanism(torch.tensor([[0.0, 0.1], [0.0, 0.1]]))

    class Strict(Oracle):
        labels = LabelSCM(true_scm().graph, {**true_scm().mechanisms, "Mustache": none})

    odd = Photographs(photographs.images, rows, photographs.units)
    run = Strict(odd.select(torch.tensor([i for i in range(N) if i not in women.tolist()])), judge.nodes)
    run.abduct = lambda images, labels, method, generator=None: Worlds(
        torch.arange(len(images)).float()[:, None], labels, images, images * 0
    )
    found = measure_photographs(run, judge, odd, 0, methods=["optimise"])["optimise"]
    assert found["photographs"] == N - 2 and found["left out: impossible labels"] == 2
    rows[:, judge.nodes.index("Male")], rows[:, judge.nodes.index("Mustache")] = 0, 1
    with pytest.raises(CausalCFError, match=f"{N} of {N} photographs"):
        measure_photographs(run, judge, Photographs(photographs.images, rows, photographs.units), 0)


def test_the_sheet_shows_the_best_first(tmp_path):
    draw = torch.Generator().manual_seed(0)
    photographs = torch.rand(30, 3, 64, 64, generator=draw)
    strength = torch.linspace(0, 1, 30)[torch.randperm(30, generator=draw)]
    drawn = photographs * (1 - strength[:, None, None, None])
    save_drawn_again(tmp_path / "x.png", photographs, drawn)
    with Image.open(tmp_path / "x.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB"), dtype=float)
    darkness = [row.mean() for row in np.array_split(pixels[:, -1200:], 6)]
    assert darkness[1] > darkness[3] > darkness[5]
