"""What every test shares: properties have no deadline, small networks run on one thread, small runs are made once."""

import os
import shutil
from contextlib import contextmanager
from dataclasses import replace

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported, and for the processes that tests start

import pytest
from helpers.shared import made_once
from hypothesis import HealthCheck, settings

for name, examples in (("default", 25), ("nightly", 2000)):
    settings.register_profile(name, deadline=None, max_examples=examples, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_modifyitems(items):
    """Properties get a marker, so that `make test-slow` can look at more examples of each."""
    for item in items:
        if getattr(getattr(item, "function", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.property)


@pytest.fixture(scope="session", autouse=True)
def working_folder(tmp_path_factory):
    """An empty folder that tests work in, so that a command leaves nothing in the checkout."""
    folder, here = tmp_path_factory.mktemp("working"), os.getcwd()
    os.chdir(folder)
    yield folder
    os.chdir(here)


@pytest.fixture(autouse=True)
def nothing_left_behind(working_folder):
    """What a test writes where nobody told it to, a user would find in the working folder."""
    yield
    assert os.listdir(working_folder) == []


@contextmanager
def no_pictures():
    """Trainings make no pictures meanwhile, which take longer than all else in a small one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("causalcf.training.watchers.Pictures.__call__", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def without_pictures():
    """Trainings of this module make no pictures."""
    with no_pictures():
        yield


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A folder with small finished runs: a (causalgan), b (dcgan), c (conditional); not to be changed."""
    from causalcf.runs.recipe import Recipe
    from causalcf.training.experiment import start_run

    small = Recipe(images=64, batch=8, width=8, labeler_width=2, noise_dim=5, data_size=400, precision="float32")
    with made_once(tmp_path_factory, "runs") as (folder, empty), no_pictures():
        if empty:
            for name, approach in (("a", "causalgan"), ("b", "dcgan"), ("c", "conditional")):
                start_run(replace(small, approach=approach, runs_dir=str(folder / name)))
    return folder


@pytest.fixture(scope="session")
def compared(tmp_path_factory):
    """A finished comparison: its recipe in tiny.yaml, its runs in runs; not to be changed."""
    with made_once(tmp_path_factory, "comparison") as (folder, empty), no_pictures():
        if empty:
            _compare(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(folder / "cache"))
        yield folder


def _compare(folder):
    import yaml
    from helpers.comparisons import PARTS, TINY, tell

    (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    code, said = tell("--recipe", str(folder / "tiny.yaml"), "--runs-dir", str(folder / "runs"))
    assert code == 0
    told = [f"{number} of 5: {part}" for number, part in enumerate(PARTS, 1)]
    assert said == [*told, f"the comparison is finished; its runs and classifiers are in {folder / 'runs'}"]


@pytest.fixture
def copy(compared, tmp_path):
    """Flags of the same comparison in a copy of its folder."""
    shutil.copytree(compared / "runs", tmp_path / "runs", symlinks=True)
    return ["--recipe", str(compared / "tiny.yaml"), "--runs-dir", str(tmp_path / "runs")]


@pytest.fixture(scope="session")
def judge_folder(tmp_path_factory):
    """The folder of a small judge with its report; not to be changed."""
    from causalcf.classifiers.experiment import make_classifier
    from causalcf.classifiers.recipe import ClassifierRecipe

    with made_once(tmp_path_factory, "judged") as (base, empty):
        if empty:
            make_classifier(
                ClassifierRecipe(
                    role="judge",
                    data_size=6000,
                    images=24_000,
                    width=16,
                    seed=1,
                    precision="float32",
                    runs_dir=str(base),
                )
            )
    return (base / "judge-faces").resolve()


@pytest.fixture(scope="session")
def judge(judge_folder):
    """That judge, of the labels of the law in their order."""
    from causalcf.data.faces import true_scm
    from causalcf.evaluation.judge import load_judge

    return load_judge(judge_folder, true_scm().graph.nodes)
