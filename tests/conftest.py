"""What every test shares: properties have no deadline, small networks run on one thread, small runs are made once."""

import os
from dataclasses import replace

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported, and for the processes that tests start

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("causalcf", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("causalcf")


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A folder with small finished runs: a (causalgan), b (dcgan), c (conditional)."""
    from causalcf.experiment import start_run
    from causalcf.recipe import Recipe

    folder = tmp_path_factory.mktemp("runs")
    small = Recipe(images=64, batch=8, width=8, labeler_width=2, noise_dim=5, data_size=400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(folder / "cache"))
        for name, approach in (("a", "causalgan"), ("b", "dcgan"), ("c", "conditional")):
            start_run(replace(small, approach=approach, runs=str(folder / name)))
    return folder
