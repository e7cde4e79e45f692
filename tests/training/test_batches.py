"""Batches: where the pixels lie, and how they come to a device that nobody should wait for."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from causalcf.data.images import to_symmetric
from causalcf.training.batches import Batches, LabelledDraw, with_one_flipped

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 4), np.uint8)
LABELS = torch.from_numpy(np.random.default_rng(1).integers(0, 2, (20, 2), np.int8))


def batches(device):
    data = SimpleNamespace(pixels=PIXELS, flip=True)
    return Batches(data, LABELS, LabelledDraw(LABELS, None, 0.0), 5, torch.device(device))


@pytest.fixture
def cuda(monkeypatch):
    """A CUDA device that is none: a function that sets what is free on it, and notes what is sent there, and how."""
    sent, pinned = [], []
    to = torch.Tensor.to

    def noting(tensor, *where, **how):
        if where and isinstance(where[0], torch.device) and where[0].type == "cuda":
            sent.append((tuple(tensor.shape), bool(how.get("non_blocking")), any(tensor is one for one in pinned)))
            return tensor
        return to(tensor, *where, **how)

    def pin(tensor):
        pinned.append(tensor)
        return tensor

    def with_free(free):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 0))
        return sent

    monkeypatch.setattr(torch.Tensor, "to", noting)
    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    return with_free


def test_pixels_that_fit_are_sent_once_and_only_their_rows_afterwards(cuda):
    sent = cuda(2 * PIXELS.nbytes + 2)
    drawn = batches("cuda")
    assert sent == [(PIXELS.shape, False, False)]
    drawn(8, torch.Generator().manual_seed(0))
    assert sent[1:] == [((8,), True, True), ((8, 3), True, True), ((8, 5), True, True)]


def test_pixels_that_do_not_fit_are_sent_by_the_batch_from_pinned_memory(cuda):
    sent = cuda(2 * PIXELS.nbytes)
    batches("cuda")(8, torch.Generator().manual_seed(0))
    assert sent == [((8, 3, 4, 4), True, True), ((8, 3), True, True), ((8, 5), True, True)]


@pytest.mark.parametrize("free", [0, 10**9])
def test_a_device_changes_no_batch(cuda, free):
    cuda(free)
    there, here = (batches(device)(8, torch.Generator().manual_seed(0)) for device in ("cuda", "cpu"))
    assert all(torch.equal(getattr(there, name), getattr(here, name)) for name in vars(here))


@pytest.mark.parametrize("d", [1, 2, 7])
def test_one_label_of_each_row_is_flipped_each_as_often(d):
    labels = torch.randint(0, 2, (4000, d), generator=torch.Generator().manual_seed(0), dtype=torch.int8)
    flips = with_one_flipped(labels, torch.Generator().manual_seed(1)) ^ labels
    assert (flips.sum(1) == 1).all()
    if d > 1:
        counts = flips.sum(0).double()
        assert chisquare(counts).pvalue > 1e-5
        counts[0] *= 1.5
        assert chisquare(counts, counts.mean().expand(d)).pvalue < 1e-5


def test_images_keep_their_labels_and_half_of_them_are_mirrored():
    found = batches("cpu")(2000, torch.Generator().manual_seed(0))
    whole = to_symmetric(torch.from_numpy(PIXELS))
    straight = (found.images[:, None] == whole).flatten(2).all(2)
    mirrored = (found.images[:, None] == whole.flip(3)).flatten(2).all(2)
    assert (straight | mirrored).any(1).all() and abs(mirrored.any(1).double().mean() - 0.5) < 0.06
    assert torch.equal(LABELS[(straight | mirrored).int().argmax(1)], found.labels)
