"""Captioned sheets: images whole, text within its column, nothing cut."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFont

from causalcf.errors import DataError, WriteError
from causalcf.pictures.sheets import CAPTION_GAP, LINE, Panel, save_captioned, to_bytes, wrap, write_picture

FONT = ImageFont.load_default(12)
LONG = "a young bald woman with glasses, a moustache, lipstick, narrow eyes and an open mouth, smiling"


@given(st.text("abcdefg wml,-", max_size=80), st.integers(20, 200))
def test_wrapped_lines_fit_and_lose_nothing(text, width):
    lines = wrap(text, FONT, width)
    assert all(FONT.getlength(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def sheet(path, captions, **more):
    images = torch.rand(len(captions) * len(captions[0]), 3, 64, 64, generator=torch.Generator().manual_seed(0)) / 2
    panels = iter(images)
    rows = [[Panel(next(panels), lines, 1) for lines in row] for row in captions]
    return images, save_captioned(path, rows, **more)


def test_images_are_whole_and_text_stays_in_its_column(tmp_path):
    captions = [[[LONG, "now: x"], ["short", "now: y"]], [["short", "now: z"], [LONG, "w" * 60]]]
    images, shown = sheet(tmp_path / "a.png", captions, title=LONG, headings=["actual", "draw 1"], scale=3)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), shown)
    for number, pixels in enumerate(to_bytes(images)):
        big = pixels.repeat(3, 0).repeat(3, 1)
        left = CAPTION_GAP + (number % 2) * (192 + CAPTION_GAP)
        found = [y for y in range(shown.shape[0] - 191) if np.array_equal(shown[y : y + 192, left : left + 192], big)]
        assert len(found) == 1
    for left in (0, CAPTION_GAP + 192, 2 * (CAPTION_GAP + 192)):  # the gaps between columns, below the title
        assert (shown[60:, left : left + CAPTION_GAP] == 255).all()
    assert (shown[-CAPTION_GAP + 2 :] == 255).all() and (shown[:2] == 255).all()


def test_the_caption_is_drawn_and_its_last_line_is_red(tmp_path):
    _, bare = sheet(tmp_path / "a.png", [[[""]]])
    _, said = sheet(tmp_path / "b.png", [[["one", "two"]]])
    assert said.shape[0] - bare.shape[0] == 2 * LINE
    below = said[CAPTION_GAP + 192 + 6 :]
    first, second = below[:LINE], below[LINE : 2 * LINE]
    assert first.min() < 100 and (np.ptp(first.astype(int), 2) <= 1).all()
    assert second[..., 1].min() < 100 and (second[..., 0] >= second[..., 1]).all() and np.ptp(second, 2).max() > 100


def test_what_cannot_be_written(tmp_path):
    panel = Panel(torch.zeros(3, 2, 2))
    with pytest.raises(DataError, match="no images"):
        save_captioned(tmp_path / "a.png", [])
    with pytest.raises(DataError, match=r"'\.xyz'"):
        save_captioned(tmp_path / "a.xyz", [[panel]])
    with pytest.raises(WriteError, match=r"missing/a.png"):
        save_captioned(tmp_path / "missing" / "a.png", [[panel]])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".gif", ".sgi", ".tga", ".jpg"])
def test_a_picture_too_wide_for_its_format_is_an_error(tmp_path, suffix):
    with pytest.raises(DataError, match=rf"wide\{suffix}"):
        write_picture(Image.new("RGB", (70_000, 4)), tmp_path / f"wide{suffix}")
    assert list(tmp_path.iterdir()) == []
