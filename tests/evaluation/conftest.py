"""A judge of rendered faces, trained once for all tests that need one."""

import pytest


@pytest.fixture(scope="session")
def judge_folder(tmp_path_factory):
    """The folder of a small judge with its report."""
    from causalcf.classifiers.experiment import make_classifier
    from causalcf.classifiers.recipe import ClassifierRecipe

    base = tmp_path_factory.mktemp("judged")
    small = ClassifierRecipe(
        role="judge", data_size=6000, images=24_000, width=16, seed=1, precision="float32", runs=str(base)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(base / "cache"))
        return make_classifier(small)


@pytest.fixture(scope="session")
def judge(judge_folder):
    """That judge, of the labels of the law in their order."""
    from causalcf.data.faces import law
    from causalcf.evaluation.judge import load_judge

    return load_judge(judge_folder, law().graph.nodes)
