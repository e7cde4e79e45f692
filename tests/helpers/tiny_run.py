"""A recipe that is trained in a second."""

from PIL import Image

from causalcf.runs.recipe import Recipe
from causalcf.training.watchers import Pictures

TINY = Recipe(
    name="tiny", images=48, batch=8, width=2, labeler_width=2, noise_dim=5, data_size=40, tick=16, precision="float32",
    graph="celeba-bald", device="cpu", r1=0.3,
)  # fmt: skip


def recipe_in(folder, **changes):
    return Recipe(**{**TINY.to_dict(), "runs_dir": str(folder / "runs"), **changes}).validate()


def red_folder(folder, monkeypatch, numbers, suffix, table):
    """Write tiny images of these numbers, a table of their label Red, and its graph; runs make no pictures."""
    monkeypatch.setenv("CAUSALCF_CACHE", str(folder / "cache"))
    monkeypatch.setattr(Pictures, "__call__", lambda *_: None)
    (folder / "images").mkdir()
    for i in numbers:
        Image.new("RGB", (8, 8), (4 * i, 0, 0)).save(folder / "images" / f"{i}{suffix}")
    (folder / "images" / "labels.csv").write_text(table)
    (folder / "mine.yaml").write_text("nodes: {Red: []}\n")
    return folder


def red_recipe(folder, **changes):
    """The tiny recipe on that folder."""
    source = {"data": "folder", "data_root": str(folder / "images"), "graph": str(folder / "mine.yaml")}
    few = {"data_size": Recipe.data_size, "images": 16, "tick": 8}
    return recipe_in(folder, **source, **{**few, **changes})
