"""Decoding, cropping and area resizing of one image file."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError

if TYPE_CHECKING:
    from PIL import Image
    from scipy.sparse import csr_array

Crop = Callable[["Image.Image"], np.ndarray]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
"""What is decoded: each further format that Pillow knows, one of which runs another program, is a further way in."""
MAX_PIXELS = 2**26  # 8,192 x 8,192, more than cameras take; several are decoded at a time, the largest at 1 GB each

_ALIGNED = (178, 218)  # width, height of CelebA's aligned images
_FACE = 108
_SLAB = 1 << 20  # values turned into float32 at a time, so that a huge photograph costs no huge array


def celeba_crop(image: Image.Image) -> np.ndarray:
    """Return the central 108x108 pixels of an aligned 178x218 image, as in DCGAN and CausalGAN."""
    if image.size != _ALIGNED:
        raise DataError(f"{image.width}x{image.height} pixels; expected CelebA's aligned and cropped images of 178x218")
    left, top = ((side - _FACE) // 2 for side in _ALIGNED)
    return np.asarray(image.convert("RGB"))[top : top + _FACE, left : left + _FACE]


def square_crop(image: Image.Image) -> np.ndarray:
    """Return the largest central square, (s, s, 3) uint8; apply EXIF rotation, put transparency on white."""
    from PIL import Image, ImageOps

    if image.mode == "F" or image.mode.startswith("I"):
        raise DataError(f"pixels of type {image.mode!r}; expected 8 bits a channel")
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    if image.mode != "RGB":  # else it would be copied, which of the largest images takes 270 MB
        image = image.convert("RGB")
    return np.asarray(image)[top : top + side, left : left + side]


def area_resize(pixels: np.ndarray, size: int) -> np.ndarray:
    """Resize (h, w, c) to (size, size, c) uint8; each new pixel is the mean of the exact area it covers."""
    height, width, channels = pixels.shape
    rows = _area_means(pixels.reshape(height, -1), size).reshape(size, width, channels)
    means = _area_means(rows.transpose(1, 0, 2).reshape(width, -1), size).reshape(size, size, channels)
    return (means.transpose(1, 0, 2) + np.float32(0.5)).astype(np.uint8)


def _area_means(rows: np.ndarray, size: int) -> np.ndarray:
    """Return the (size, m) float32 area means of (n, m) rows; a sparse product avoids BLAS threads."""
    shares = _shares(len(rows), size)
    step = max(1, _SLAB // len(rows))
    slabs = [shares @ rows[:, at : at + step].astype(np.float32) for at in range(0, rows.shape[1], step)]
    return np.concatenate(slabs, axis=1)


@lru_cache(maxsize=64)
def _shares(source: int, target: int) -> csr_array:
    """Return the (target, source) share of each source pixel in each target pixel; rows sum to 1."""
    from scipy.sparse import csr_array

    edges = np.arange(target + 1) * (source / target)
    left = np.arange(source)
    covered = np.minimum(edges[1:, None], left + 1) - np.maximum(edges[:-1, None], left)
    return csr_array((np.maximum(covered, 0) * (target / source)).astype(np.float32))


@cache
def _formats() -> tuple[str, ...]:
    """Return the names in `FORMATS` that this Pillow build can open."""
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise DataError(f"{width} x {height} pixels; at most {MAX_PIXELS:,} are decoded")


def read_image(path: str | Path, crop: Crop, size: int) -> np.ndarray:
    """Decode, crop and resize one image file of at most 2^26 pixels to (3, size, size) uint8."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=_formats()) as image:
            _check_size(image.size)
            pixels = crop(image)
    except DataError as error:
        raise DataError(f"image {path}: {error}") from error
    except Image.DecompressionBombError:
        raise DataError(f"image {path}: more than {MAX_PIXELS:,} pixels, the most that are decoded") from None
    except UnidentifiedImageError:
        raise DataError(f"cannot decode the image {path}: none of {', '.join(_formats())}") from None
    except Exception as error:  # Pillow's decoders raise half a dozen unrelated types on broken files
        raise DataError(f"cannot decode the image {path}: {error}") from error
    return area_resize(pixels, size).transpose(2, 0, 1)
