"""Image files broken at random: each is decoded, or refused in a sentence that names it.

10,000 of each kind: pytest -m slow -rP tests/fuzz/test_broken_images.py
"""

import io
import resource

import numpy as np
import pytest
from helpers.broken import CASES, MANY, PLACE, fuzz, outcome
from hypothesis import strategies as st
from PIL import Image

from causalcf.data import imagefiles
from causalcf.data.imagefiles import square_crop

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow's on what it mends, which would count as refusals here
KINDS = ("JPEG", "PNG", "GIF", "TIFF")
EDIT = st.tuples(st.sampled_from(("flip", "overwrite", "cut", "truncate")), PLACE, PLACE)
EDITS = st.lists(EDIT, max_size=3)


def whole(kind):
    """The bytes of a small picture, of many colours and turned by its EXIF data where the format has them."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 20, 3), "uint8"))
    turned, written = Image.Exif(), io.BytesIO()
    turned[0x0112] = 6
    image.save(written, kind, **({} if kind == "GIF" else {"exif": turned}))
    return written.getvalue()


def broken(content, edits):
    """Half of the edits are made among the first bytes, where sizes and types stand."""
    for what, here, there in edits:
        i = here // 2 % max(len(content) if here % 2 else min(len(content), 64), 1)
        if what == "flip":
            content = content[:i] + bytes(byte ^ (1 << there % 8) for byte in content[i : i + 1]) + content[i + 1 :]
        elif what == "overwrite":
            content = content[:i] + (b"\xff", b"\0", b"\x7f")[there % 3] * 4 + content[i + 4 :]
        elif what == "cut":
            content = content[:i] + content[i + 1 + there % 20 :]
        else:
            content = content[:i]
    return content


def read(kind, folder, cases):
    """What became of that many broken files: None where one was decoded, else the sentence."""
    path, content, told = folder / "a.png", whole(kind), []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @fuzz(EDITS, cases)
    def test(edits):
        path.write_bytes(broken(content, edits))
        told.append(outcome(imagefiles.read_image, path, square_crop, 8))

    test()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 2**20, f"the process has grown by {grown:,} kB at its peak, more than 1 GiB"
    assert all(str(path) in one for one in told if one is not None)
    return told


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_image_is_decoded_or_refused_in_a_sentence(kind, tmp_path):
    told = read(kind, tmp_path, CASES)
    assert None in told and len({one for one in told if one is not None}) > 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_broken_images(kind, tmp_path):
    """10,000 cases: pytest -m slow -rP tests/fuzz/test_broken_images.py"""
    told = read(kind, tmp_path, MANY)
    print(f"{kind}: {len(told):,} cases, {sum(one is not None for one in told):,} refused")


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_image_is_decoded(kind, tmp_path):
    (tmp_path / "a.png").write_bytes(whole(kind))
    assert imagefiles.read_image(tmp_path / "a.png", square_crop, 8).std() > 1
