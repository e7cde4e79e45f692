"""An encoder trained after the run: it finds noise, belongs to one checkpoint, and its training goes on exactly."""

import shutil
from dataclasses import replace

import pytest
import torch
from helpers.tiny_run import recipe_in

from causalcf.data import load_source
from causalcf.encode import main
from causalcf.errors import CausalCFError, RunError
from causalcf.export import export
from causalcf.runs.loading import ENCODER, load_run
from causalcf.training import encoding
from causalcf.training.encoding import peak_ratio, train_encoder
from causalcf.training.experiment import start_run, training_data

SMALL = {"data_size": 400, "noise_dim": 3, "width": 8, "labeler_width": 4, "images": 64, "batch": 8}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Runs without an encoder, by approach; not to be changed."""
    folder = tmp_path_factory.mktemp("encoded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(folder / "cache"))
        patch.setattr("causalcf.training.watchers.Pictures.__call__", lambda *_: None)
        for approach in ("causalgan", "dcgan"):
            start_run(replace(recipe_in(folder / approach, **SMALL), approach=approach))
        yield folder


@pytest.fixture(params=["causalgan", "dcgan"])
def run(request, trained, tmp_path):
    """A copy of such a run."""
    source = next((trained / request.param / "runs").glob("20*"))
    shutil.copytree(source, tmp_path / source.name)
    return load_run(tmp_path / source.name, "cpu")


def test_it_finds_the_noise_better_than_none(run):
    data = training_data(run.recipe, run.graph)
    encoder = train_encoder(run, data, 1024, seed=0)
    noise, labels, images = encoding.generated_pairs(run, torch.zeros(1, len(labels_of(run))), 64, torch.Generator())
    error = (encoding.found_noise(run, encoder, images, labels) - noise).square().mean()
    assert error < 0.9 * noise.square().mean()
    again = load_run(run.folder, "cpu")
    assert again.encoder is not None
    for name, part in encoder.state_dict().items():
        assert torch.equal(part, again.encoder.state_dict()[name])
    assert not (run.folder / encoding.UNFINISHED).exists()


def labels_of(run):
    return () if run.labels is None else run.graph.nodes


def test_photographs_are_drawn_better_after_the_second_half(run):
    data = training_data(run.recipe, run.graph)
    held_out = load_source(run.recipe, "valid")
    before = peak_ratio(run, train_encoder(run, data, 64, seed=0), held_out, 50)
    assert peak_ratio(run, train_encoder(run, data, 2048, seed=0), held_out, 50) > before


def test_an_interrupted_training_goes_on_to_the_bit(run, monkeypatch):
    data = training_data(run.recipe, run.graph)
    monkeypatch.setattr(encoding, "KEEP_EVERY", 128)
    whole = train_encoder(run, data, 384, seed=1).state_dict()

    class Interrupted(Exception):
        pass

    def stop(n, seen=[0]):  # noqa: B006
        seen[0] += n
        if seen[0] >= 200:
            raise Interrupted

    with pytest.raises(Interrupted):
        train_encoder(run, data, 384, seed=1, on_images=stop)
    with pytest.raises(RunError, match=r"encoder\.partial\.pt is of an encoder with other options"):
        train_encoder(run, data, 384, seed=2)
    resumed = train_encoder(run, data, 384, seed=1).state_dict()
    assert all(torch.equal(part, resumed[name]) for name, part in whole.items())


def test_it_belongs_to_one_checkpoint(run):
    train_encoder(replace(run, step=run.step + 1), training_data(run.recipe, run.graph), 64, seed=0)
    with pytest.warns(UserWarning, match="encode the run again"):
        assert load_run(run.folder, "cpu").encoder is None


def test_an_exported_run_takes_it_along(trained, run, tmp_path):
    encoder = train_encoder(run, training_data(run.recipe, run.graph), 64, seed=0)
    export(run.folder, tmp_path / "out")
    kept = load_run(tmp_path / "out", "cpu").encoder
    assert kept is not None
    for name, part in encoder.state_dict().items():
        assert torch.equal(part.half().float(), kept.state_dict()[name])


def test_the_command(trained, run, tmp_path, capsys):
    with pytest.raises(RunError, match=r"causalcf\.encode"):
        run.abduct(torch.rand(1, 3, 64, 64), dict.fromkeys(run.graph.nodes, 0))
    main([str(run.folder), "--images", "64", "--device", "cpu"])
    said = capsys.readouterr().out
    assert said.startswith(f"wrote {run.folder / ENCODER}\n") and "dB" in said
    assert (
        load_run(run.folder, "cpu")
        .abduct(torch.rand(1, 3, 64, 64), dict.fromkeys(run.graph.nodes, 0))
        .noise.isfinite()
        .all()
    )
    with pytest.raises(RunError, match="exported run"):
        main(["pretrained:faces"])
    with pytest.raises(CausalCFError, match="--images is 3"):
        main([str(run.folder), "--images", "3"])


def test_other_data_are_refused(run):
    data = training_data(run.recipe, run.graph)
    other = replace(run, trained_on=replace(run.trained_on, fingerprint="0" * 16))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("causalcf.runs.loading.load_run", lambda *_: other)
        with pytest.raises(RunError, match="--data-root"):
            main([str(run.folder), "--images", "64"])
    assert data.fingerprint != "0" * 16
