"""Checkpoints that are damaged are noticed, and the one before is offered; what is not finite is not kept."""

import random
import shutil
from dataclasses import replace

import pytest
import torch
from helpers.same_training import difference, leaves
from helpers.tiny_run import recipe_in

from causalcf.errors import RecipeError, RunError
from causalcf.runs.directory import CHECKPOINT, SET_ASIDE, earlier, go_back, load_checkpoint, save_checkpoint
from causalcf.runs.loading import load_run
from causalcf.train import parse_options
from causalcf.training import experiment
from causalcf.training.experiment import resume_run, start_run
from causalcf.training.loop import DivergedError, Training

pytestmark = pytest.mark.usefixtures("without_pictures")


def flip(path, place, bit):
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def test_a_flipped_bit_is_noticed_or_changes_nothing(run):
    path = run / CHECKPOINT
    before, whole = path.read_bytes(), leaves(load_checkpoint(run))
    draw, noticed = random.Random(0), 0
    for _ in range(300):
        flip(path, draw.randrange(len(before)), draw.randrange(8))
        try:
            found = leaves(load_checkpoint(run))
        except RunError as error:
            assert "is damaged" in str(error)
            noticed += 1
        else:
            same = (
                torch.equal(v, whole[k]) if isinstance(v, torch.Tensor) else v == whole[k] for k, v in found.items()
            )
            assert found.keys() == whole.keys() and all(same)
        path.write_bytes(before)
    assert noticed > 150  # the rest fell on padding, names that are told twice, and dates


def test_pytorch_alone_would_not_have_noticed(run):
    content = bytearray((run / CHECKPOINT).read_bytes())
    tensor = next(v for v in leaves(load_checkpoint(run)["networks"]).values() if v.numel() > 100)
    place = content.find(tensor.contiguous().numpy().tobytes()[:64])
    assert place > 0
    content[place + 2] ^= 64
    (run / CHECKPOINT).write_bytes(content)
    torch.load(run / CHECKPOINT, weights_only=True)
    with pytest.raises(RunError, match=r"the checksum of its part .* is wrong"):
        load_run(run)


@pytest.mark.parametrize("size", [0, 1, 1000, -1000, -1])
def test_a_truncated_checkpoint_is_noticed_and_the_one_before_it_goes_on(run, trained, size):
    content = (run / CHECKPOINT).read_bytes()
    (run / CHECKPOINT).write_bytes(content[:size])
    with pytest.raises(RunError, match=r"checkpoint\.pt is damaged: .* --resume .*checkpoint\.1\.pt"):
        resume_run(str(run), {})
    assert load_checkpoint(run / "checkpoint.1.pt")["step"] == 4
    assert resume_run(str(run / "checkpoint.1.pt"), {}) == 0
    assert difference(trained, run) == []
    assert (run / SET_ASIDE).read_bytes() == content[:size]  # nothing is thrown away


def test_one_can_go_back_and_forth_between_checkpoints(run):
    newest, before = (run / CHECKPOINT).read_bytes(), (run / "checkpoint.1.pt").read_bytes()
    go_back(run / "checkpoint.1.pt")
    assert ((run / CHECKPOINT).read_bytes(), (run / SET_ASIDE).read_bytes()) == (before, newest)
    go_back(run / SET_ASIDE)
    assert ((run / CHECKPOINT).read_bytes(), (run / SET_ASIDE).read_bytes()) == (newest, before)
    (run / SET_ASIDE).unlink()  # which is checkpoint.1.pt by another name
    (run / SET_ASIDE).write_bytes(b"nothing")
    with pytest.raises(RunError, match=r"set-aside\.pt is damaged: .* --resume .*checkpoint\.1\.pt"):
        resume_run(str(run / SET_ASIDE), {})


def test_where_no_earlier_one_is_whole_none_is_offered(run):
    for path in (run / CHECKPOINT, run / "checkpoint.1.pt"):
        path.write_bytes(b"nothing")
    with pytest.raises(RunError, match="no earlier one that is whole"):
        load_run(run)


def test_as_many_checkpoints_as_asked_for_are_kept(tmp_path):
    for step in range(5):
        save_checkpoint(tmp_path, {"step": step}, keep=3)
    steps = [load_checkpoint(path)["step"] for path in (tmp_path, *earlier(tmp_path))]
    assert steps == [4, 3, 2]
    save_checkpoint(tmp_path, {"step": 5}, keep=1)
    assert load_checkpoint(tmp_path)["step"] == 5 and earlier(tmp_path) == []


def test_a_copy_serves_where_there_are_no_hard_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refuse)
    for step in range(3):
        save_checkpoint(tmp_path, {"step": step})
    assert [load_checkpoint(path)["step"] for path in (tmp_path, *earlier(tmp_path))] == [2, 1]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["weight", "memory"])
def test_a_gradient_that_is_not_finite_is_not_kept(tmp_path, monkeypatch, value, where):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    healthy = Training.advance

    def poisoned(self):
        losses = healthy(self)
        if self.step == 3:
            optimiser = self.update.optimisers["generator"]
            weight = optimiser.param_groups[0]["params"][0]
            with torch.no_grad():
                (weight if where == "weight" else optimiser.state[weight]["exp_avg_sq"])[0] = value
        return losses

    monkeypatch.setattr(Training, "advance", poisoned)
    with pytest.raises(DivergedError, match="not finite"):
        start_run(recipe_in(tmp_path))
    state = load_checkpoint(tmp_path / "runs" / "latest")
    assert state["step"] == 2
    assert all(v.isfinite().all() for v in leaves(state).values() if isinstance(v, torch.Tensor))


def test_changed_images_are_refused_on_resume_unless_told(run, monkeypatch):
    usual = experiment.training_data
    monkeypatch.setattr(experiment, "training_data", lambda r, g: _renamed(usual(r, g)))
    with pytest.raises(RunError, match="--changed-data"):
        resume_run(str(run), {"images": 64})
    assert resume_run(str(run), {"images": 64}, changed_data=True) == 0
    assert load_checkpoint(run)["data_fingerprint"] == "others"
    with pytest.raises(RecipeError, match="--changed-data has a meaning only with --resume"):
        parse_options(["--changed-data"])
    assert parse_options(["--resume", "x", "--changed-data"]).changed_data


def _renamed(data):
    return replace(data, fingerprint="others")


def test_a_damaged_cache_is_made_anew(run, tmp_path, trained):
    assert resume_run(str(run), {"images": 64}) == 0
    (pixels,) = (tmp_path / "cache").glob("faces*/images-*.npy")
    other = shutil.copytree(trained, tmp_path / "other" / trained.name)
    pixels.write_bytes(pixels.read_bytes()[:1000])
    assert resume_run(str(other), {"images": 64}) == 0
    assert difference(run, other) == []
