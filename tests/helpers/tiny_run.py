"""A recipe that is trained in a second."""

from causalcf.runs.recipe import Recipe

TINY = Recipe(
    name="tiny", images=48, batch=8, width=2, labeler_width=2, noise_dim=5, data_size=40, tick=16, precision="float32",
    graph="celeba-bald", device="cpu", r1=0.3,
)  # fmt: skip


def recipe_in(folder, **changes):
    return Recipe(**{**TINY.to_dict(), "runs_dir": str(folder / "runs"), **changes}).validate()
