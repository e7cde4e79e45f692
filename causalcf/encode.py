"""`python -m causalcf.encode RUN`: train an encoder for a run that has none, so that it takes photographs."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from .checks import SEEDS, option
from .cli.command import run as run_command
from .cli.parser import CommandOptions, parse_command
from .errors import DataError, RunError
from .io.text import escaped

DESCRIPTION = """Train an encoder for a finished run. The generator does not change.

The encoder finds the noise of a photograph at once. ask --photo, eval --photos, the page and export then use it. It
learns from generated faces first, then from generated faces and the run's training images. After Ctrl-C the same
command continues.
"""
EXAMPLES = """examples:
  python -m causalcf.encode runs/latest
  python -m causalcf.encode runs/latest --images 100000 --data-root PATH
"""


@dataclass(frozen=True)
class EncodeOptions(CommandOptions):
    """Options of `python -m causalcf.encode`."""

    _error = RunError
    run: str = option("", "the run to train an encoder for", name="run", metavar="RUN")
    images: int = option(
        40_000, "number of images to learn from; in the second half of the training, half are training images", low=64
    )
    data_root: Path | None = option(None, "folder of the run's data, if it has moved", metavar="PATH")
    seed: int = option(0, "seed of the training, in [0, 2^32)", low=0, below=SEEDS)
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...")


def main(arguments: list[str] | None = None) -> None:
    """Run the command: train the encoder, write it into the run's folder, and print how well it does."""
    options = parse_command(EncodeOptions, arguments, "encode", DESCRIPTION, EXAMPLES)
    from .data import load_source
    from .io.files import run_lock
    from .io.progress import counting
    from .runs.directory import RECIPE
    from .runs.exported import WEIGHTS
    from .runs.loading import ENCODER, load_run
    from .training.encoding import peak_ratio, train_encoder
    from .training.experiment import training_data

    run = load_run(options.run, options.device)
    if (run.folder / WEIGHTS).is_file():
        raise RunError(f"{run.folder} is an exported run; encode the run that it was made from, and export that again")
    if run.recipe.reconstruction:
        raise RunError(f"{run.folder.name} was trained with an encoder ({RECIPE}: reconstruction); it needs no other")
    recipe = run.recipe if options.data_root is None else replace(run.recipe, data_root=str(options.data_root))
    data = training_data(recipe, run.graph)
    if run.trained_on is not None and data.fingerprint != run.trained_on.fingerprint:
        raise RunError(
            f"the data have the fingerprint {data.fingerprint}; {run.folder.name} was trained on {run.trained_on}: "
            "say where these are with --data-root"
        )
    held_out = None
    with suppress(DataError):  # the same tables just gave "train": all that can be amiss is an empty split
        held_out = load_source(recipe, "valid")
    with run_lock(run.folder), counting("encoder", options.images) as advance:
        encoder = train_encoder(run, data, options.images, options.seed, advance)
    print(escaped(f"wrote {run.folder / ENCODER}"))
    if held_out is None:
        print("the data have no held-out images (split valid) to measure it with")
        return
    decibels = peak_ratio(run, encoder, held_out)
    print(f"held-out photographs, drawn again from the noise that it finds: PSNR {decibels:.1f} dB")


if __name__ == "__main__":
    sys.exit(run_command(main))
