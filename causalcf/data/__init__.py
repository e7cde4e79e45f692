"""Image sources: rendered faces, CelebA, or a folder of images with a CSV of labels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from ..checks import check_choice, check_path
from ..errors import DataError, unknown

if TYPE_CHECKING:  # torch is imported only once there are images to load
    from .images import ImageData

Data = Literal["faces", "celeba", "folder"]
CELEBA_CROP = 108  # pixels a side, of the aligned 178x218 image, as in DCGAN and CausalGAN
SOURCES: tuple[Data, ...] = get_args(Data)


def load_data(name: str, root: str | Path | None = None, split: str = "train", **options: Any) -> ImageData:
    """Load the labelled images of a source.

    Args:
        name: "faces", "celeba" or "folder".
        root: the folder of the images; required for celeba and folder.
        split: "train" or "valid"; celeba and folder also have "test" and "all".
        options: further arguments of the source's own loader (`load_faces`, `load_celeba`, `load_folder`).

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
    allowed = [option for option in inspect.signature(load).parameters if option not in ("root", "split")]
    for option in options:
        if option not in allowed:
            raise DataError(unknown("option", option, allowed))
    return load(split=split, **options) if name == "faces" else load(root, split=split, **options)


class SourceOptions(Protocol):
    """The options of a recipe that say which images of a source are loaded, and how."""

    @property
    def data(self) -> Data: ...
    @property
    def skip_missing(self) -> bool: ...
    @property
    def crop(self) -> int: ...


def loader_options(recipe: SourceOptions) -> dict[str, Any]:
    """Return the arguments of `load_data` that a recipe's source takes; rendered faces take a number alone."""
    if recipe.data == "faces":
        return {}
    return {"skip_missing": recipe.skip_missing} | ({"crop": recipe.crop} if recipe.data == "celeba" else {})


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
