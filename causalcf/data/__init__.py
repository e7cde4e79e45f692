"""Image sources: rendered faces, CelebA, or a folder of images with a CSV of labels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..checks import Options, check_choice, check_path, option, require
from ..errors import DataError, unknown

if TYPE_CHECKING:  # torch is imported only once there are images to load
    from .images import ImageData

Data = Literal["faces", "celeba", "folder"]
DATA_SIZE = 20_000  # faces to render for training, where nothing else is said
CELEBA_CROP = 108  # pixels a side, of the aligned 178x218 image, as in DCGAN and CausalGAN
SOURCES: tuple[Data, ...] = get_args(Data)
SOURCE_OPTIONS = ("data", "data_root", "skip_missing", "crop")  # what readers of the same images share


@dataclass(frozen=True)
class SourceOptions(Options):
    """The options of a recipe that say which images of a source are loaded, and how."""

    data: Data = option("faces", "image source: rendered faces, CelebA, or a folder of images with a CSV of labels")
    data_root: str | None = option(None, "folder of the images (celeba, folder)")
    data_size: int = option(DATA_SIZE, "number of faces to render for training (faces only)", low=2, high=2**24)
    skip_missing: bool = option(False, "use the images that are there, if the table lists more (celeba, folder)")
    crop: int = option(
        CELEBA_CROP,
        "side of the square cut from CelebA's 178x218 photographs, in pixels; 148 shows all hair",
        low=64,
        high=178,
    )


def load_data(name: str, root: str | Path | None = None, split: str = "train", **options: Any) -> ImageData:
    """Load the labelled images of a source.

    Args:
        name: "faces", "celeba" or "folder".
        root: the folder of the images; required for celeba and folder.
        split: "train" or "valid"; celeba and folder also have "test" and "all".
        options: `cache`, the folder of all caches (default: $CAUSALCF_CACHE, else the user's cache folder), and
            `progress`, whether a bar is shown while the cache is built. Of faces also `n`, how many (default: 20,000,
            valid 4,000), and `seed`. Of celeba and folder `size`, the side of the images in pixels (default: 64), and
            `skip_missing`, to leave out rows whose images are not there. Of celeba `crop`, the side of the square that
            is cut from 178x218 pixels, in [64, 178] (default: 108). Of folder `flip`, whether a mirrored image keeps
            its labels (default: True).

    Returns:
        The images of the split with all their labels, as `ImageData`.

    Raises:
        DataError: the source or an option is unknown, the root is missing, or the data are invalid.

    Examples:
        >>> import tempfile
        >>> data = load_data("faces", n=16, cache=tempfile.mkdtemp(), progress=False)
        >>> len(data), data.select(["Male", "Bald"]).shape
        (16, torch.Size([16, 2]))
    """
    _check_source(name, root)
    load: Callable[..., ImageData]
    if name == "faces":
        from .faces import load_faces as load
    elif name == "celeba":
        from .celeba import load_celeba as load
    else:
        from .folder import load_folder as load
    allowed = [key for key in inspect.signature(load).parameters if key not in ("root", "split")]
    for key in options:
        if key not in allowed:
            raise DataError(unknown("option", key, allowed))
    return load(split=split, **options) if name == "faces" else load(root, split=split, **options)


def check_source(recipe: SourceOptions) -> None:
    """Check that a recipe sets no option that its source does not have, and all that it needs; else a `RecipeError`."""
    faces = recipe.data == "faces"
    require(faces or recipe.data_root is not None, "data_root", None, f"set when data is {recipe.data}")
    require(not faces or recipe.data_root is None, "data_root", recipe.data_root, "left out for faces")
    require(faces or recipe.data_size == DATA_SIZE, "data_size", recipe.data_size, f"left out for {recipe.data}")
    require(not (faces and recipe.skip_missing), "skip_missing", "true", "left out for faces")
    require(recipe.data == "celeba" or recipe.crop == CELEBA_CROP, "crop", recipe.crop, f"left out for {recipe.data}")


def load_source(recipe: SourceOptions, split: str = "train") -> ImageData:
    """Load a split of the images that a recipe names; `data_size` is of the faces to train on."""
    options: dict[str, Any] = {"skip_missing": recipe.skip_missing}
    if recipe.data == "faces":
        options = {"n": recipe.data_size} if split == "train" else {}
    elif recipe.data == "celeba":
        options["crop"] = recipe.crop
    return load_data(recipe.data, recipe.data_root, split, **options)


def attribute_names(name: str, root: str | Path | None = None, wanted: Iterable[str] = ()) -> tuple[str, ...]:
    """The attributes of a source, from its tables alone: no image is decoded or rendered.
    Labels that are `wanted` must not have the name of a column of splits.

    Raises:
        DataError: as `load_data`, as far as the tables tell.
    """
    _check_source(name, root)
    if name == "faces":
        from .faces.person import LABELS

        return LABELS
    if name == "celeba":
        from .celeba import celeba_images, celeba_tables

        celeba_images(str(root))
        names = celeba_tables(str(root))[0].names
    else:
        from .folder import folder_table

        names = folder_table(str(root)).names
    from .tables import SPLIT_COLUMNS

    if reserved := [label for label in wanted if label.lower() in SPLIT_COLUMNS]:
        raise DataError(f"{reserved[0]!r} cannot be a label: a column of that name says which images are for training")
    return names


def _check_source(name: str, root: str | Path | None) -> None:
    """Check that the source exists, and that its root is named if it needs one."""
    check_choice("data source", name, SOURCES, DataError)
    if name != "faces":
        if root is None:
            raise DataError(f"data {name!r} needs data_root: the folder its images lie in")
        check_path("root", root, DataError)
