"""`python -m causalcf.export RUN --out FOLDER`: make a folder of a few MB from a run, to be asked and passed on.
It holds the averaged generator, the Labeler, the encoder if there is one, the label model, and a card.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checks import option
from .cli.command import run as run_command
from .cli.parser import CommandOptions, parse_command
from .errors import CausalCFError, RunError
from .io.text import escaped
from .language.lists import example_questions
from .language.query import Query

if TYPE_CHECKING:
    from .runs.run import Run

DESCRIPTION = """Export a run as a folder of a few MB. load_run and all commands that ask a run accept this folder.

Training cannot continue from it. Its README.md is a card: the run's data, its licence, its figures and its limits.
"""
EXAMPLES = """examples:
  python -m causalcf.export runs/latest --out my-faces
  python -m causalcf.export runs/latest --out my-faces --report runs/latest-report/report.json --onnx
  python -m causalcf.ask --run my-faces "What if a woman had a moustache?"
"""
ONNX = "generator.onnx"
CARD = "README.md"
APART = 1e-4  # largest difference of pixels in [0, 1] between PyTorch and onnxruntime: float32 sums in another order


@dataclass(frozen=True)
class ExportOptions(CommandOptions):
    """Options of `python -m causalcf.export`."""

    _error = RunError
    run: str = option("", "the run to export", name="run", metavar="RUN")
    out: Path = option(Path(), "the folder to make; it must not exist", required=True, metavar="FOLDER")
    report: Path | None = option(None, "report.json of an evaluation of the run, whose figures the card shows")
    onnx: bool = option(False, "write the generator as ONNX, too; needs causalcf[onnx]", action="store_true")


def main(arguments: list[str] | None = None) -> None:
    options = parse_command(ExportOptions, arguments, "export", DESCRIPTION, EXAMPLES)
    for path in export(options.run, options.out, options.report, options.onnx):
        print(escaped(f"wrote {path} ({path.stat().st_size / 1e6:.2f} MB)"))


def export(run: str | Path, out: str | Path, report: str | Path | None = None, onnx: bool = False) -> list[Path]:
    """Make the folder `out` from a run and return its files.

    Args:
        run: a run directory.
        out: the folder to make; it must not exist.
        report: report.json of an evaluation of the run; the card shows its figures.
        onnx: write the generator as ONNX, too, checked against PyTorch by onnxruntime.

    Raises:
        RunError: the folder exists, the run cannot be exported, or the report is not of this run.
        CausalCFError: onnx without the packages that it needs, or images that differ.

    Examples:
        >>> export("runs/latest", "my-faces")  # doctest: +SKIP
    """
    from .graph.files import save_graph
    from .io.files import write_atomically
    from .runs.directory import GRAPH, RECIPE, WHOLE_GRAPH, find_checkpoint, read_run, save_recipe, whole_graph
    from .runs.exported import WEIGHTS, exported_state, write_state
    from .runs.loading import load_run, separate_encoder
    from .runs.recipe import stored_recipe

    folder, checkpoint = find_checkpoint(run)
    state, graph, recipe, _ = read_run(folder, checkpoint)
    apart = separate_encoder(folder, state["step"])
    state["networks"] = {**state["networks"], **{f"encoder.{name}": part for name, part in apart.items()}}
    kept = exported_state(state, recipe)
    figures = {} if report is None else _figures(Path(report), folder.name, state["step"] * recipe.batch)
    names = [WEIGHTS, GRAPH, RECIPE, CARD, *([ONNX] if onnx else [])]
    with _new_folder(Path(out)) as place:
        write_state(place / WEIGHTS, kept)
        save_graph(graph, place / GRAPH)
        if (folder / WHOLE_GRAPH).is_file():
            save_graph(whole_graph(graph, folder, recipe), place / WHOLE_GRAPH)
            names.append(WHOLE_GRAPH)
        save_recipe(place, stored_recipe(kept["recipe"]))
        made = load_run(place, "cpu")
        write_atomically(place / CARD, card(made, figures).encode())
        if onnx:
            write_onnx(made, place / ONNX)
    return [place / name for name in names]


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """Make a folder, and remove it again if what fills it fails."""
    try:
        out.mkdir(parents=True)
    except FileExistsError:
        raise RunError(f"--out: {out} exists; name a folder that does not") from None
    except OSError as error:
        raise RunError(f"--out: cannot make the folder {out}: {error.strerror}") from error
    try:
        yield out
    except BaseException:
        shutil.rmtree(out)
        raise


def _figures(path: Path, run: str, images: int) -> dict[str, Any]:
    """Return the figures of a run's images in an evaluation's report, by name."""
    from .io.untrusted import read_json, rebuilding
    from .runs.exported import evaluated_approaches

    with rebuilding(path):
        report = read_json(path)
        of_run = [part for part in report["realism"].values() if part["run"] == run]
        names = evaluated_approaches(report, path, run, images)
        found = dict(of_run[0]) if of_run else {}
        for axiom, part in next((report["axioms"][name] for name in names if name in report["axioms"]), {}).items():
            if isinstance(part, dict):
                found |= {axiom: part} if "value" in part else {f"{axiom}, {key}": one for key, one in part.items()}
    if not found:
        raise RunError(f"{path} has no figures of {run}; evaluate it with --suite images")
    return found


def card(run: Run, figures: dict[str, Any]) -> str:
    """Return the card of an exported run, as Markdown."""
    from .io.text import markdown
    from .runs.exported import LICENCES, LIMITS

    asked = next(iter(example_questions(run.graph)), str(Query({}, {run.graph.nodes[0]: 1})))
    classifier = "" if run.labels is not None else " --classifier CLASSIFIER"  # its labels are read from images alone
    recipe, seen = run.recipe, run.step * run.recipe.batch
    edges = ", ".join(f"{a} -> {b}" for a, b in run.graph.edges) or "no edges"
    named = f"of the data with fingerprint {run.trained_on.fingerprint}" if run.trained_on else ""
    lines = [
        f"# {markdown(recipe.name)}, {recipe.approach}",
        "",
        "A face GAN of causalcf. Ask it:",
        "",
        "```console",
        f'$ python -m causalcf.ask --run FOLDER{classifier} "{asked}"',
        "```",
        "",
        f"- Data: {recipe.data}, {seen:,} images seen, {named}.",
        f"- {LICENCES[recipe.data]}",
        f"- Graph {markdown(run.graph.name)}: {markdown(edges)}.",
        f"- Networks: generator {recipe.networks[0]}, width {recipe.width}, {recipe.noise_dim} coordinates of noise, "
        f"uniform on (-{recipe.noise_range:g}, {recipe.noise_range:g}); "
        f"64x64 pixels; numbers in float16. Seed {recipe.seed}.",
        "",
        "## Figures",
        "",
        _table(figures) if figures else "None were measured for this card.",
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in LIMITS),
        "",
    ]
    return "\n".join(lines)


def _table(figures: dict[str, Any]) -> str:
    from .io.text import markdown_table

    rows = []
    for name, part in figures.items():
        if isinstance(part, dict) and all(isinstance(part.get(key), float) for key in ("value", "low", "high")):
            rows.append((name, f"{part['value']:.3f} [{part['low']:.3f}, {part['high']:.3f}]"))
        elif isinstance(part, float):
            rows.append((name, f"{part:.3f}"))
    return markdown_table(("figure", "value, 95 % interval"), rows)


def write_onnx(run: Run, path: Path) -> None:
    """Write the generator as ONNX: (n, k) noise and (n, d) labels to (n, 3, 64, 64) images in [0, 1].

    Raises:
        CausalCFError: a package is missing, or onnxruntime's images differ from PyTorch's.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise CausalCFError(f"--onnx needs the package {error.name}: pip install 'causalcf[onnx]'") from None
    import numpy as np
    import torch

    d = 0 if run.labels is None else len(run.graph.nodes)
    draw = torch.Generator().manual_seed(0)
    noise = run.sample_noise(4, draw)
    labels = torch.randint(0, 2, (4, d), generator=draw).float()
    inputs = {"noise": noise, "labels": labels} if d else {"noise": noise}

    class InUnitInterval(torch.nn.Module):
        def forward(self, noise: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
            images: torch.Tensor = run.generator(noise, noise[:, :0] if labels is None else labels)
            return images.add(1).div(2).clamp(0, 1)

    program = torch.onnx.export(
        InUnitInterval().eval(),
        tuple(inputs.values()),
        dynamo=True,
        input_names=list(inputs),
        output_names=["images"],
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},) * len(inputs),
        verbose=False,
    )
    assert program is not None
    program.save(str(path))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    noise = run.sample_noise(7, draw)  # another number than it was traced with
    labels = torch.randint(0, 2, (7, d), generator=draw).float()
    given = {"noise": noise.numpy(), "labels": labels.numpy()} if d else {"noise": noise.numpy()}
    apart = float(np.abs(session.run(None, given)[0] - run.generate(noise, labels if d else None).numpy()).max())
    if not apart <= APART:
        raise CausalCFError(f"{path}: onnxruntime's pixels differ from PyTorch's by up to {apart:.2g}; do not use it")


if __name__ == "__main__":
    sys.exit(run_command(main))
