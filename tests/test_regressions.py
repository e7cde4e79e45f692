"""Faults that were found by review, each held by a test that failed before it was mended."""

import io
import json
import os
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace

import pytest
import torch
from helpers.constraint_toys import GRAPH, telling
from helpers.constraint_toys import about_smiles as smile_statement

import causalcf as cf
from causalcf import draw, train
from causalcf.checks import check_choice
from causalcf.classifiers.recipe import ClassifierRecipe
from causalcf.cli.command import run, say
from causalcf.data.faces import __main__ as faces_command
from causalcf.evaluation.suite import Link, LinkQuestion, Suite
from causalcf.explore import parse_options as explore_options
from causalcf.io.files import clear_leftovers, temporary_beside
from causalcf.io.text import file_names
from causalcf.io.untrusted import MAX_TENSORS
from causalcf.labels.distance import tables_markdown
from causalcf.networks.precision import choose_precision
from causalcf.runs.directory import networks_of, stored_runs
from causalcf.runs.recipe import Recipe, checkpoint_bytes, stored_recipe
from causalcf.training.batches import WeightedDraw
from causalcf.training.loop import Training
from causalcf.training.step import TrainingStep, merged
from causalcf.worlds.posterior import Posterior
from causalcf.worlds.samplers import find_prior

SMALL = Recipe(images=64, batch=8, width=8, labeler_width=2, noise_dim=5, data_size=400)
CPU = torch.device("cpu")


def command(main, *arguments):
    """Exit code, output and errors of a command."""
    out, said = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        code = run(lambda: main(list(arguments)))
    return code, out.getvalue(), said.getvalue()


def step_of(**changes):
    recipe = replace(SMALL, approach="dcgan", **changes)
    return TrainingStep(networks_of(recipe, 0), recipe, CPU, "float32")


def test_a_penalty_of_an_objective_and_lazy_r1_never_share_a_name():
    assert step_of().recipe.r1_weight == 0.3
    assert step_of(objective="wgan-gp").recipe.r1_weight == 0
    assert step_of(objective="relativistic").recipe.r1_weight == 1
    assert step_of(objective="wgan-gp", r1=0.7).recipe.r1_weight == 0.7
    stored = replace(SMALL, objective="relativistic", r1=0.3).validate().to_dict()
    assert stored_recipe(stored).r1_weight == 0.3
    for ineffective in (0, 0.3, None):  # as runs stored it when these penalties had a weight of their own
        before = {**stored, "r1": ineffective}
        del before["generator"]
        assert stored_recipe(before).r1_weight == 1
    one = torch.ones(1)
    assert merged({"real": one}, {"r1": one}).keys() == {"real", "r1"}
    with pytest.raises(ValueError, match="r1"):
        merged({"real": one, "r1": one}, {"r1": one})


def test_any_printable_node_name_gives_files_of_its_own():
    assert file_names(["Hat/Cap", "Hat-Cap", "hat.cap", "?"]) == {
        "Hat/Cap": "Hat-Cap", "Hat-Cap": "Hat-Cap-2", "hat.cap": "hat-cap-3", "?": "label"
    }  # fmt: skip
    long = [f"{'a' * 40}{i}" for i in range(3)]
    assert len(set(file_names(long).values())) == 3


def test_a_run_with_a_slash_in_a_node_name_finishes(tmp_path):
    from PIL import Image

    for number in range(8):
        Image.new("RGB", (64, 64), (number * 30, 0, 0)).save(tmp_path / f"{number}.png")
    rows = "".join(f"{n}.png,{n % 2},{n // 2 % 2},train\n" for n in range(8))
    (tmp_path / "labels.csv").write_text("file,Hat/Cap,Red,split\n" + rows)
    (tmp_path / "graph.yaml").write_text("nodes:\n  Hat/Cap: []\n  Red: [Hat/Cap]\n")
    flags = ["--data", "folder", "--data-root", str(tmp_path), "--graph", str(tmp_path / "graph.yaml")]
    sizes = ["--images", "4", "--batch", "2", "--width", "2", "--labeler-width", "1", "--device", "cpu"]
    code, _, said = command(train.main, *flags, *sizes, "--runs-dir", str(tmp_path / "runs"))
    assert code == 0, said
    assert (tmp_path / "runs/latest/do-vs-given-Hat-Cap.png").is_file()


def test_precision_depends_on_the_processor_and_not_on_a_clock(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", lambda: pytest.fail("auto looked at a clock"))
    assert choose_precision("auto", CPU) == choose_precision("auto", CPU)
    for has in (True, False):
        monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda has=has: has)
        monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: False)
        assert choose_precision("auto", CPU) == ("bf16" if has else "float32")


def test_a_judge_shares_neither_network_nor_seed_with_the_classifier_made_by_default():
    for data, root in (("faces", None), ("celeba", "x"), ("folder", "x")):
        classifier, judge = (
            ClassifierRecipe(role=role, data=data, data_root=root).validate().resolved()
            for role in ("classifier", "judge")
        )
        assert classifier.network != judge.network and classifier.seed != judge.seed


def test_a_question_is_asked_once_however_its_labels_are_ordered():
    link = Link("Young", "Bald")
    asked = (LinkQuestion(link, {"Male": 1, "Smiling": 0}), LinkQuestion(link, {"Smiling": 0, "Male": 1}))
    nodes = ("Young", "Male", "Bald", "Smiling")
    assert Suite("one", asked).questions(nodes) == [asked[1]]
    other = LinkQuestion(link, held={"Male": 1, "Smiling": 0})
    assert len(Suite("two", (*asked, other)).questions(nodes)) == 2


def test_explore_keeps_every_given():
    assert explore_options(["--given", "Male=1", "--given", "Young=0,Bald=1"]).given == {
        "Male": 1, "Young": 0, "Bald": 1
    }  # fmt: skip


def test_status_lines_show_no_terminal_codes(capsys):
    say("told \x1b[31mred")
    assert capsys.readouterr().err == "told \\x1b[31mred\n"


def test_tables_in_markdown_hold_names_as_they_are():
    table = tables_markdown(["a|b", "<i>"], {"da|ta": torch.eye(2)})
    assert "a\\|b" in table and "da\\|ta" in table and "\\<i>" in table
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {3}


def test_a_run_too_wide_to_be_loaded_again_is_refused_before_training():
    wide = replace(SMALL, width=24, noise_dim=40)
    kinds = [(SMALL, 3), (replace(SMALL, noise_weight=1.0), 9), (replace(SMALL, approach="dcgan"), 0)]
    other = {"generator": "skip", "discriminator": "projection", "reconstruction": 1.0}
    kinds += [(replace(recipe, **other), 3) for recipe in (SMALL, wide)]
    for recipe, labels in kinds:
        nets = networks_of(recipe, labels)
        trained = [net for name, net in nets.named_children() if name != "average"]
        moved = sum(p.numel() for net in trained for p in net.parameters())
        kept = sum(p.numel() for p in nets.average.parameters())
        assert checkpoint_bytes(recipe, labels) == 4 * (3 * moved + kept)
    for name in ("width", "labeler_width"):
        with pytest.raises(cf.RecipeError, match=rf"\b{name}\b"):
            Recipe(**{name: 1024}).validate()
    widest = max(width for width in range(1, 1025) if checkpoint_bytes(Recipe(width=width)) <= MAX_TENSORS)
    Recipe(width=widest).validate()
    assert 300 < widest < 400


def test_a_long_training_keeps_its_statistics_readable(tmp_path, runs):
    import shutil

    shutil.copytree(runs / "b", tmp_path / "runs", symlinks=True)
    (folder,) = (path for path in (tmp_path / "runs").iterdir() if path.is_dir() and not path.is_symlink())
    statistics = folder / "stats.jsonl"
    last = statistics.read_text().splitlines()[-1]
    statistics.write_text((json.dumps({"step": 1, "pad": "x" * 4096}) + "\n") * 5000 + last + "\n")
    assert statistics.stat().st_size > 2**24
    assert [run.images for run in stored_runs(tmp_path / "runs")] == [64]
    with pytest.raises(cf.RecipeError, match="tick"):
        replace(SMALL, images=2**40, tick=1).validate()


@pytest.mark.parametrize(
    "ask",
    [
        lambda name: find_prior(name),
        lambda name: cf.load_data(name),
        lambda name: Posterior(torch.zeros(2), None, None, name),
        lambda name: cf.counterfactual_noise(
            torch.zeros(2), lambda z: z, lambda x: x, {"Male": 1}, 2, attributes=["Male"], method=name
        ),
        lambda name: check_choice("objective", name, ["hinge"]),
    ],
)
@pytest.mark.parametrize("name", [["uniform"], {"a": 1}, "unifrom"])
def test_what_is_no_name_is_refused_as_any_other_mistake(ask, name):
    with pytest.raises(cf.CausalCFError):
        ask(name)


def test_networks_are_made_without_touching_the_generators_of_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: pytest.fail("CUDA was seeded"))
    before, dcgan = torch.random.get_rng_state(), replace(SMALL, approach="dcgan")
    first, second = (Training(dcgan, GRAPH, None, None, CPU, "float32") for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    a, b = (training.networks.generator.project.weight for training in (first, second))
    assert torch.equal(a, b)


def test_answers_remembered_for_statements_are_bounded():
    told = telling({"a": smile_statement()})
    targets, question = told.costs.targets, told.questions[0]
    targets.most = 3
    facts = torch.tensor([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=torch.int8)
    first = targets(question, facts)
    assert len(targets.known) == 3
    assert torch.equal(targets(question, facts).nan_to_num(-1), first.nan_to_num(-1))


def test_a_judge_named_by_its_data_is_the_judge_beside_the_runs(tmp_path):
    from causalcf.classifiers.storage import find_classifier

    for role in ("classifier", "judge"):
        (tmp_path / f"{role}-faces").mkdir()
        (tmp_path / f"{role}-faces" / "classifier.pt").write_text("")
    assert find_classifier("faces", tmp_path, "judge").parent.name == "judge-faces"
    with pytest.raises(cf.RunError, match="--role judge"):
        find_classifier("celeba", tmp_path, "judge")


def test_the_file_that_another_machine_is_writing_stays(tmp_path):
    ours = temporary_beside(tmp_path / "a")
    gone = 2**22 + 12345  # beyond the greatest process id
    names = [".a.at-elsewhere.1.tmp", f".b.at-elsewhere.{gone}.tmp", f".c.{gone}.tmp"]
    dead = tmp_path / ours.name.replace(str(os.getpid()), str(gone))
    for path in (ours, dead, *(tmp_path / name for name in names)):
        path.write_text("")
    assert clear_leftovers(tmp_path) == [dead.name]
    os.utime(tmp_path / names[0], (0, 0))
    assert clear_leftovers(tmp_path) == [names[0]]


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, float("nan")], [1.0, -1.0], [1.0, float("inf")], []])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(cf.CausalCFError, match="weights"):
        WeightedDraw(torch.tensor(weights))


def test_names_come_before_images(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    (tmp_path / "graph.yaml").write_text("nodes:\n  Young: []\n  Beard: [Young]\n")
    flags = ["--graph", str(tmp_path / "graph.yaml"), "--runs-dir", str(tmp_path / "runs")]
    for more in ([], ["--dry-run"]):
        code, out, said = command(train.main, *flags, *more)
        assert (code, out) == (2, "") and "Beard" in said
    assert not (tmp_path / "cache").exists() and not (tmp_path / "runs").exists()
    for wrong in (["--graph", "nowhere"], ["--data", "celeba", "--data-root", str(tmp_path)], ["--statements", "none"]):
        code, out, said = command(train.main, *wrong, "--dry-run")
        assert (code, out) == (2, ""), said
    assert command(train.main, "--dry-run")[0] == 0


@pytest.mark.parametrize(("main", "short"), [(draw.main, "--merm"), (faces_command.main, "--sc")])
def test_every_command_refuses_abbreviations_in_one_line(main, short, tmp_path):
    code, out, said = command(main, *(["celeba"] if main is draw.main else ["--out", str(tmp_path / "a.png")]), short)
    assert (code, out) == (2, "") and said.count("\n") == 1 and short in said
