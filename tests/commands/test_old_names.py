"""Flags and recipe keys that got a new name still work under the old one, with a warning that names the new one."""

import pytest

from causalcf.classifiers.recipe import classifier_recipe
from causalcf.classify import parse_options as parse_classify
from causalcf.cli.command import run
from causalcf.errors import RecipeError
from causalcf.eval import parse_options as parse_eval
from causalcf.train import main, parse_options

# old key, its value, new key, its value: steps of 32 images have become images
RENAMED = [
    ("anti_decay", 500, "anti_labeler_decay", 16_000),
    ("average", 0.5, "ema_half_life", 32),
    ("average", 0, "ema_half_life", 0),
    ("statement_every", 4, "statement_interval", 128),
    ("label_grain", 0.3, "label_noise", 0.3),
    ("runs", "mine", "runs_dir", "mine"),
    ("start", "mine/latest", "init_from", "mine/latest"),
]


@pytest.mark.parametrize(("old", "value", "new", "today"), RENAMED)
def test_an_old_key_or_flag_is_the_new_one(tmp_path, old, value, new, today):
    (tmp_path / "mine.yaml").write_text(f"{old}: {value}\n")
    with pytest.warns(FutureWarning, match=rf"^{old} is now {new}\b"):
        assert getattr(parse_options(["--recipe", str(tmp_path / "mine.yaml")]).recipe, new) == today
    with pytest.warns(FutureWarning, match=rf"^{old} is now {new}\b"):
        assert getattr(parse_options([f"--{old.replace('_', '-')}", str(value), "--batch", "32"]).recipe, new) == today


def test_steps_are_steps_of_the_batch_that_is_given():
    with pytest.warns(FutureWarning):
        assert parse_options(["--anti-decay", "500", "--batch", "8"]).recipe.anti_labeler_decay == 4000


@pytest.mark.filterwarnings("always::FutureWarning")
def test_a_command_says_it_in_one_line(capsys):
    assert run(lambda: main(["--dry-run", "--average", "0.5", "--batch", "32"])) == 0
    said = capsys.readouterr()
    assert said.err.startswith("warning: average is now ema_half_life, here 32.0;") and said.err.count("\n") == 1
    assert "ema_half_life: 32.0" in said.out and "average" not in said.out


@pytest.mark.parametrize(
    ("flags", "culprit"),
    [
        (["--average", "1"], r"average: 1\b.*\[0, 1\)"),
        (["--anti-decay", "yes"], "anti_decay"),
        (["--label-grain", "0.3", "--label-noise", "0.2"], "label_grain.*label_noise"),
    ],
)
def test_old_names_with_values_that_cannot_be(flags, culprit):
    with pytest.raises(RecipeError, match=culprit):
        parse_options(flags)


def test_a_comparison_has_old_names_too(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "approaches: [dcgan]\nanti_decay: 10\ntold: [none, faces-true]\ntold_from: 4096\n"
    )
    with pytest.warns(FutureWarning) as warned:
        comparison = parse_options(["--recipe", str(tmp_path / "mine.yaml")]).comparison
    assert (comparison.arms.entries, comparison.arms.since) == (("none", "faces-true"), 4096)
    assert comparison.recipe.anti_labeler_decay == 320
    assert {str(one.message).split()[0] for one in warned} == {"told", "told_from", "anti_decay"}


def test_a_classifier_has_old_names_too():
    with pytest.warns(FutureWarning, match="grain is now noise"):
        assert parse_classify(["--grain", "0.2"]).recipe.noise == 0.2
    with pytest.warns(FutureWarning, match="label_law is now label_distribution"):
        assert classifier_recipe({"label_law": "coin"}).label_distribution == "uniform"


def test_an_evaluation_has_old_names_too(tmp_path):
    with pytest.warns(FutureWarning) as warned:
        options = parse_eval(["--link", "Young:Bald", "--base", str(tmp_path), "--runs", "a", "b"])
    assert [str(one.message).split(",")[0] for one in warned] == ["--runs is now --run", "--base is now --runs-dir"]
    assert options.runs_dir == str(tmp_path) and list(options.run) == ["a", "b"]


def test_old_names_are_not_offered():
    with pytest.raises(RecipeError) as caught:
        parse_options(["--xyzzy"])
    assert "--ema-half-life" in str(caught.value) and "--average" not in str(caught.value)
