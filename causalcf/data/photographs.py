"""Photographs from anywhere, cut like the images of a training: by hand, or turned and scaled by the eyes.
Nothing of a photograph but its pixels is kept.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..errors import DataError
from .imagefiles import ALIGNED, celeba_crop, read_image, square_crop
from .tables import SUFFIXES

Point = tuple[float, float]
Box = tuple[int, int, int]  # x, y and side, in pixels
Found = tuple[int, int, int, int]  # x, y, width and height

EYES: tuple[Point, Point] = (69.0, 111.5), (108.0, 111.5)  # where they are in CelebA's aligned images, on average
IN_FACE: tuple[Point, Point] = (0.31, 0.39), (0.69, 0.39)  # where they are in the box of a face, where none are found
SEARCHED = 800  # pixels of the longer side in which a face is looked for
FACES = ("haarcascade_frontalface_default.xml", "haarcascade_frontalface_alt2.xml")
ANGLES = (0, 15, -15, 30, -30)  # in degrees, by which an image is turned until a face with both eyes is found
NEIGHBOURS = 4  # detections that agree on a face; fewer are false alarms


def read_photograph(path: str | Path, data: str, crop: int, box: Box | None = None) -> tuple[Tensor, str]:
    """Read a photograph as (3, 64, 64) in [0, 1]; the sentence says how it was cut.

    Args:
        path: JPEG, PNG, WebP and others, turned as its EXIF says. Grey images of 16 bits are refused.
        data: what the run was trained on. For "celeba" the eyes are brought to where they are in CelebA's aligned
            images, which takes OpenCV (extra `photo`); an image of 178x218 is taken as aligned. For other data the
            largest central square is taken, as in training.
        crop: the side that the run cuts from CelebA's images, in pixels.
        box: x, y and side of a square in the photograph, instead.

    Raises:
        DataError: the file cannot be read; no face or several were found; the box is not inside the photograph.
    """
    said = [""]

    def cut(image: Image.Image) -> np.ndarray:
        if box is not None:
            pixels, said[0] = _square(image, box), "cut by hand"
        elif data != "celeba":
            pixels, said[0] = square_crop(image), "the central square"
        elif image.size == ALIGNED:
            pixels, said[0] = celeba_crop(image, crop), "cut like CelebA's aligned images"
        else:
            aligned, said[0] = _aligned(image)
            pixels = celeba_crop(aligned, crop)
        return pixels

    pixels = read_image(path, cut, 64)
    return torch.from_numpy(pixels).float() / 255, said[0]


def parse_box(text: str) -> Box | None:
    """Return the box of "x,y,side", None for "auto"."""
    if text == "auto":
        return None
    try:
        x, y, side = (int(part) for part in text.split(","))
    except ValueError:
        raise DataError(f"--crop is {text!r}; expected auto, or X,Y,SIZE in pixels, such as 120,80,400") from None
    return x, y, side


def _square(image: Image.Image, box: Box) -> np.ndarray:
    x, y, side = box
    if x < 0 or y < 0 or side < 1 or x + side > image.width or y + side > image.height:
        raise DataError(f"the square {x},{y},{side} is not inside its {image.width}x{image.height} pixels")
    return np.asarray(image)[y : y + side, x : x + side]


def _aligned(image: Image.Image) -> tuple[Image.Image, str]:
    """Turn, scale and cut an image to 178x218 pixels, so that its eyes lie where CelebA's do."""
    eyes, said = _find_eyes(image)
    (ax, ay), (bx, by) = eyes
    (left, height), (right, _) = EYES
    scale = math.hypot(bx - ax, by - ay) / (right - left)  # pixels of the photograph for one of CelebA's
    cos, sin = (bx - ax) / (right - left), (by - ay) / (right - left)
    if scale > 1:  # first by area: a transform alone would skip pixels
        size = max(1, round(image.width / scale)), max(1, round(image.height / scale))
        small = image.resize(size, Image.Resampling.BOX)
        ratio = size[0] / image.width, size[1] / image.height
        image, ax, ay, cos, sin = small, ax * ratio[0], ay * ratio[1], cos * ratio[0], sin * ratio[1]
    matrix = cos, -sin, ax - cos * left + sin * height, sin, cos, ay - sin * left - cos * height
    padded = _reflected(image)
    offset = (padded.width - image.width) // 2, (padded.height - image.height) // 2
    moved = matrix[0], matrix[1], matrix[2] + offset[0], matrix[3], matrix[4], matrix[5] + offset[1]
    return padded.transform(ALIGNED, Image.Transform.AFFINE, moved, Image.Resampling.BICUBIC), said


def _reflected(image: Image.Image) -> Image.Image:
    """Continue an image beyond its edges by reflection, as far as CelebA's crop may reach."""
    wide = min(ALIGNED[0], image.width - 1), min(ALIGNED[1], image.height - 1)
    pixels = np.pad(np.asarray(image), ((wide[1],) * 2, (wide[0],) * 2, (0, 0)), "reflect")
    return Image.fromarray(pixels)


def _find_eyes(image: Image.Image) -> tuple[tuple[Point, Point], str]:
    """Return the centres of both eyes of the one face in an image, the left one of the image first."""
    cv2 = _opencv()
    shrunk = max(max(image.size) / SEARCHED, 1.0)
    wide, high = (max(1, round(side / shrunk)) for side in image.size)
    grey = cv2.equalizeHist(np.asarray(image.convert("L").resize((wide, high))))
    found: list[Point] = []
    said = "turned and scaled by the eyes"
    for cascade, angle in itertools.product(FACES, ANGLES):
        turn = cv2.getRotationMatrix2D((wide / 2, high / 2), angle, 1.0)
        turned = cv2.warpAffine(grey, turn, (wide, high), borderMode=cv2.BORDER_REPLICATE)
        faces = _detect(cv2, cascade, turned, NEIGHBOURS, min(wide, high) // 8)
        faces = _apart(faces)
        if angle == 0 and len(faces) > 1:
            raise DataError(f"{len(faces)} faces were found; {_by_hand(image)}")
        if len(faces) != 1:
            continue
        eyes = _eyes_in(cv2, turned, faces[0])
        if eyes or (not found and angle == 0):  # a face that is found only turned, and without eyes, is a false alarm
            x, y, side, height = faces[0]
            places = eyes or [(x + a * side, y + b * height) for a, b in IN_FACE]
            back = cv2.invertAffineTransform(turn)
            found = [tuple(back @ (*place, 1.0)) for place in places]
        if eyes:
            break
    else:
        if not found:
            raise DataError(f"no face was found; {_by_hand(image)}")
        said = "scaled by the face; its eyes were not found"
    first, second = ((x * image.width / wide, y * image.height / high) for x, y in found)
    return (first, second), said


def _apart(faces: list[Found]) -> list[Found]:
    """Leave out detections much smaller than the largest face, or centred inside it: false alarms and parts of it."""
    if not faces:
        return []
    x, y, wide, high = largest = max(faces, key=lambda face: face[2] * face[3])

    def inside(face: Found) -> bool:
        return x < face[0] + face[2] / 2 < x + wide and y < face[1] + face[3] / 2 < y + high

    return [largest, *(face for face in faces if 2 * face[2] >= wide and not inside(face))]


def _by_hand(image: Image.Image) -> str:
    return f"cut one by hand: --crop X,Y,SIZE, in its {image.width}x{image.height} pixels"


def _eyes_in(cv2: Any, grey: np.ndarray, face: Found) -> list[Point]:
    """Return the centres of the two eyes nearest to where a face has them, or none."""
    x, y, wide, high = face
    upper = grey[y : y + int(0.6 * high), x : x + wide]
    expected = [(x + a * wide, y + b * high) for a, b in IN_FACE]
    for cascade in ("haarcascade_eye.xml", "haarcascade_eye_tree_eyeglasses.xml"):
        boxes = _detect(cv2, cascade, upper, 4, wide // 10)
        centres = [(x + left + w / 2, y + top + h / 2) for left, top, w, h in boxes]
        pairs = [
            [one, other]
            for one in centres
            for other in centres
            if 0.25 * wide < other[0] - one[0] < 0.6 * wide and abs(other[1] - one[1]) < 0.25 * wide
        ]
        if pairs:
            return min(pairs, key=lambda pair: sum(map(math.dist, pair, expected)))
    return []


def _detect(cv2: Any, cascade: str, grey: np.ndarray, neighbours: int, least: int) -> list[Found]:
    detector = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / cascade))
    boxes = detector.detectMultiScale(grey, 1.1, neighbours, minSize=(max(least, 1),) * 2)
    return [(int(x), int(y), int(wide), int(high)) for x, y, wide, high in boxes]


def _opencv() -> Any:
    try:
        import cv2
    except ImportError:
        found: Any = None
    else:
        found = cv2
    if not hasattr(found, "CascadeClassifier"):  # version 5 has none
        raise DataError(
            "finding the face takes OpenCV 4: pip install 'causalcf[photo]'; or cut it by hand: --crop X,Y,SIZE"
        )
    return found


def photographs_in(place: Path) -> list[Path]:
    """Return a file itself, or a folder's images by name."""
    if not place.is_dir():
        return [place]
    files = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
    if not files:
        raise DataError(f"the folder {place} holds no image; their names end in {', '.join(sorted(SUFFIXES))}")
    return files
