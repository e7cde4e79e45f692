"""`python -m causalcf.ask "Given a woman, what if she had a moustache?"`: answer with an image sheet.
`--json` prints {"run", "seed", "answers": [...]}; the exit code is 2 if a question failed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .checks import SEEDS, option
from .cli.command import run as run_command
from .cli.command import say
from .cli.parser import CommandOptions, parse_command, parse_conditions
from .errors import CausalCFError, GraphError, QueryError
from .graph.files import load_graph
from .io.text import escaped
from .io.yaml import run_folder
from .language.lists import load_queries
from .language.query import Query

if TYPE_CHECKING:
    from .runs.run import Run

DESCRIPTION = """Ask a trained run a counterfactual question, in English or by flags.

questions: "Given SOMEONE, what if PRONOUN PREDICATE?" or "What if SOMEONE PREDICATE?"
  The pronoun (he, she, they) refers to the person who is given. "And", "but" and commas join conditions. A negation
  (not, no, without, n't) covers the next condition, and every item of a list joined by "or". "What if we observed that
  she ..." and "what if she turned out to ..." make the antecedent an observation. Every other form makes it an
  intervention.
"""
EXAMPLES = """examples:
  python -m causalcf.ask "Given a woman, what if she had a moustache?"
  python -m causalcf.ask "Given an old bald man with glasses, what if he were young and not bald?"
  python -m causalcf.ask --given Male=0,Young=1 --if Mustache=1 --observe
  python -m causalcf.ask --photo her.jpg "What if she had a moustache?"
  python -m causalcf.ask --queries eval/queries.yaml --out six.png
"""
FACES, FACES_WITHOUT_LABELS = 100, 8  # each face of a run without labels takes a search among noises


@dataclass(frozen=True)
class AskOptions(CommandOptions):
    """Options of `python -m causalcf.ask`; `queries` maps names to questions, "" for a single one."""

    question: tuple[str, ...] = option((), "a question in English", name="question", nargs="*", parse=tuple)
    given: tuple[str, ...] = option(
        (), "who is given, instead of a question", action="append", metavar="NAME=0|1,...", parse=tuple
    )
    antecedent: tuple[str, ...] = option(
        (), "the antecedent, instead of a question", name="--if", action="append", metavar="NAME=0|1,...", parse=tuple
    )
    file: str | None = option(
        None, "ask all questions of a file (eval/queries.yaml)", name="--queries", nargs="?", const="queries",
        metavar="FILE",
    )  # fmt: skip
    mode: str | None = option(
        None,
        "",
        switches={
            "--do": ("do", "set the antecedent by intervention"),
            "--observe": ("observe", "observe that the antecedent holds"),
        },
    )
    run: str = option(
        "runs/latest", "the run to ask; pretrained:faces and pretrained:celeba travel with the package", metavar="RUN"
    )
    classifier: str | None = option(
        None,
        "classifier of the images: faces, celeba or a classifier's folder. Default: classifier-<data> beside the run, "
        "else the run's own Labeler",
        metavar="NAME",
    )
    stickiness: float | None = option(
        None,
        "probability that a noise is kept. Default: 1 for do; 0.53 for observe, the fit of Lucas and Kemp (2015)",
        low=0, high=1, metavar="S",
    )  # fmt: skip
    noise_stickiness: float | None = option(
        None, "the same for the image noise alone. Default: as --stickiness", low=0, high=1, metavar="S"
    )
    faces: int | None = option(
        None, "number of actual faces. Default: 100; 8 for a run without labels", name=("-n", "--faces"), low=1,
        metavar="N",
    )  # fmt: skip
    draws: int = option(4, "counterfactual draws of each face; rates use the first", low=1, metavar="M")
    budget: int = option(
        20_000, "noises that a run without labels may try for each face before it gives up", low=1, metavar="B"
    )
    rows: int = option(6, "number of faces on the sheet", low=1, metavar="R")
    seed: int = option(0, "seed of all random draws, in [0, 2^32)", low=0, below=SEEDS)
    as_json: bool = option(False, "print JSON only", name="--json", action="store_true")
    photo: Path | None = option(
        None, "ask about this photograph, or about each in this folder; it stays on this machine", metavar="FILE"
    )
    labels: tuple[str, ...] = option(
        (), "labels of the photograph; those not named are read from it", action="append", metavar="NAME=0|1,...",
        parse=tuple,
    )  # fmt: skip
    crop: str = option(
        "auto",
        "square to cut from the photograph. auto: by the eyes if the run learned from CelebA, else the central square",
        metavar="X,Y,SIZE",
    )
    method: Literal["encoder", "optimise", "tune"] = option(
        "optimise",
        "how to find the photograph's noise. encoder: by the run's encoder; optimise: also by gradient descent on the "
        "noise; tune: also by tuning the generator's last layers",
    )
    out: Path = option(Path("ask.png"), "the sheet to write", metavar="FILE.png")
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...")
    queries: dict[str, Query] = field(default_factory=dict)

    def sheet(self, name: str) -> Path:
        """Return the path of a question's sheet; a named question adds its name to the file name."""
        return self.out.with_name(f"{self.out.stem}-{name}{self.out.suffix}") if name else self.out


def parse_options(arguments: Sequence[str] | None) -> AskOptions:
    """Parse the command line; check all that can be checked without loading the run."""
    options = parse_command(AskOptions, arguments, "ask", DESCRIPTION, EXAMPLES)
    queries, out = _queries(options), options.out
    if options.photo is None:
        for name in ("labels", "crop", "method"):
            if getattr(options, name) != getattr(AskOptions, name):
                raise QueryError(f"--{name} is about a photograph; name one with --photo")
    elif not options.photo.exists():
        raise QueryError(f"--photo is {options.photo}, which does not exist")
    elif options.faces is not None:
        raise QueryError("--faces is about generated faces; with --photo each photograph is one")
    elif options.rows != AskOptions.rows:
        raise QueryError("--rows is about generated faces; with --photo each photograph has a row")
    if not _is_picture(out) or not out.parent.is_dir():
        raise QueryError(f"--out is {out}; it must name a picture, such as ask.png, in a folder that exists")
    return replace(options, queries=queries)


def _is_picture(path: Path) -> bool:
    """Return whether a file of this name can be written as a picture."""
    from PIL import Image

    return Image.registered_extensions().get(path.suffix.lower()) in Image.SAVE


def _queries(options: AskOptions) -> dict[str, Query]:
    nodes = _graph_nodes(options.run)
    english, flags = " ".join(options.question), [*options.given, *options.antecedent]
    if sum(map(bool, (english, flags, options.file))) != 1:
        raise QueryError("ask one of: a question in English, --given and --if, or --queries; see --help")
    if options.file:
        queries = load_queries(options.file, nodes)
    elif english:
        queries = {"": Query.parse(english, nodes)}
    else:
        names = nodes or None
        given = parse_conditions(options.given, "--given", names)
        queries = {"": Query(given, parse_conditions(options.antecedent, "--if", names))}
    for name in queries:
        if "/" in name or len(name) > 60:
            raise QueryError(f"the question's name {name!r} goes into a picture's: without /, at most 60 letters")
    return {name: query.as_mode(options.mode) if options.mode else query for name, query in queries.items()}


def _graph_nodes(run: str) -> tuple[str, ...]:
    """Return the nodes of the run's graph; () if the graph cannot be read, as loading the run reports it."""
    file = run_folder(run) / "graph.yaml"
    try:
        return load_graph(file).nodes if file.is_file() else ()
    except GraphError:
        return ()


def main(arguments: list[str] | None = None) -> int:
    """Run the command; torch is imported only after the options are parsed."""
    options = parse_options(arguments)
    from .runs.loading import load_run

    run = load_run(options.run, options.device, options.classifier)
    return ask(run, options) if options.photo is None else ask_photographs(run, options, options.photo)


def ask(run: Run, options: AskOptions) -> int:
    """Answer all questions and print the answers; return 2 if one of several questions failed, else 0."""
    answers: list[dict[str, Any]] = []
    for name, query in options.queries.items():
        try:
            answers.append({"name": name, **_ask_one(run, query, name, options)})
        except CausalCFError as error:
            if len(options.queries) == 1:
                raise
            say(f"error: {name}: {error}")
            answers.append({"name": name, "question": str(query), "error": str(error)})
    if options.as_json:
        print(json.dumps({"run": options.run, "seed": options.seed, "answers": answers}, indent=2, allow_nan=False))
    return 2 if any("error" in one for one in answers) else 0


def _ask_one(run: Run, query: Query, name: str, options: AskOptions) -> dict[str, Any]:
    import torch

    from .answers.answer import answer
    from .answers.text import save_answer, to_dict, to_text
    from .io.progress import counting

    query, faces = _suited(run, query, options.mode), options.faces
    if faces is None:
        faces = FACES if run.labels is not None else FACES_WITHOUT_LABELS
    generator = torch.Generator().manual_seed(options.seed)
    numbers = faces, options.draws, options.stickiness, options.noise_stickiness
    searched = run.labels is None  # minutes, where what is given or the antecedent is rare
    total = 2 * faces if query.given else faces  # each is found as given, then as supposed
    with counting(f"faces, {name}" if name else "faces", total, show=searched) as on_face:
        found = answer(run, query, *numbers, generator, options.budget, on_face)
    sheet = options.sheet(name)
    save_answer(sheet, found, options.rows)
    if not options.as_json:
        print(to_text(found) + f"\nwrote {sheet}\n", flush=True)
    return {**to_dict(found), "sheet": str(sheet)}


def ask_photographs(run: Run, options: AskOptions, place: Path) -> int:
    """Answer the question about each photograph; return 2 if one of several failed, else 0."""
    import torch

    from .answers.photograph import answer_photograph, photograph_dict, photograph_text, save_photograph
    from .data.photographs import parse_box, photographs_in, read_photograph
    from .io.progress import counting

    if len(options.queries) != 1:
        raise QueryError("--photo takes one question at a time")
    query = _suited(run, next(iter(options.queries.values())), options.mode)
    labels = parse_conditions(options.labels, "--labels", run.graph.nodes)
    files, box = photographs_in(place), parse_box(options.crop)
    if options.out.resolve() in (file.resolve() for file in files):
        raise QueryError(f"--out is {options.out}, a photograph that is asked about; name another file")
    numbers = options.stickiness, options.noise_stickiness, options.draws
    told: list[dict[str, Any]] = []
    answers = {}
    with counting("photographs", len(files), show=len(files) > 1) as advance:
        for file in files:
            generator = torch.Generator().manual_seed(options.seed)
            try:
                image, cut = read_photograph(file, run.recipe.data, run.recipe.crop, box)
                found = answer_photograph(
                    run, image, query, labels, options.method, *numbers, generator, options.budget
                )
            except CausalCFError as error:
                if len(files) == 1:
                    raise
                say(f"error: {file.name}: {error}")
                told.append({"photograph": file.name, "error": str(error)})
            else:
                told.append({**photograph_dict(file.name, cut, found), "sheet": str(options.out)})
                answers[escaped(file.name)] = found
                if not options.as_json:
                    print(photograph_text(escaped(file.name), cut, found) + "\n", flush=True)
            advance(1)
    if options.as_json:
        print(json.dumps({"run": options.run, "seed": options.seed, "answers": told}, indent=2, allow_nan=False))
    if answers:
        save_photograph(options.out, answers)
        if not options.as_json:
            print(f"wrote {options.out}")
    return 2 if any("error" in one for one in told) else 0


def _suited(run: Run, query: Query, mode: str | None) -> Query:
    """Return the query in observe mode for a run without labels; raise an error if --do is set."""
    if run.labels is not None or query.mode == "observe":
        return query
    if mode == "do":
        raise QueryError("the run has no labels to intervene on; ask it with --observe")
    return query.as_mode("observe")


if __name__ == "__main__":
    sys.exit(run_command(main))
