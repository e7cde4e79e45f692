"""`python -m causalcf.ask "Given a woman, what if she had a moustache?"`: a picture, and what is true in it.

`--json` prints {"run", "seed", "answers": [...]}; an answer holds "name" (of a question from a file, else ""), "sheet"
(the picture's path) and the keys that `causalcf.answer_text.to_dict` tells; a question that could not be asked holds
"name", "question" and "error" instead. The exit code is 2 where there is such a question.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from .ask_options import AskOptions, parse_options
from .command import run as run_command
from .errors import CausalCFError, QueryError
from .inert import escaped

if TYPE_CHECKING:
    from .worlds.query import Query
    from .worlds.run import Run

FACES, FACES_WITHOUT_LABELS = 100, 8  # each face of a run without labels takes a search among noises


def main(arguments: list[str] | None = None) -> int:
    """Parse, load the run, ask; torch is imported only once there is a question."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    from .worlds.run import load_run

    return ask(load_run(options.run, options.device, options.classifier), options)


def ask(run: Run, options: AskOptions) -> int:
    """Asks a loaded run all questions of a command line and prints the answers.

    Returns:
        The exit code: 2 where one of several questions could not be asked.

    Raises:
        CausalCFError: the only question could not be asked.
    """
    told: list[dict[str, Any]] = []
    for name, query in options.queries.items():
        try:
            told.append({"name": name, **_ask_one(run, query, name, options)})
        except CausalCFError as error:
            if len(options.queries) == 1:
                raise
            print(escaped(f"error: {name}: {error}"), file=sys.stderr)
            told.append({"name": name, "question": str(query), "error": str(error)})
    if options.as_json:
        print(json.dumps({"run": options.run, "seed": options.seed, "answers": told}, indent=2, allow_nan=False))
    return 2 if any("error" in one for one in told) else 0


def _ask_one(run: Run, query: Query, name: str, options: AskOptions) -> dict[str, Any]:
    import torch

    from .answer_sheet import save_answer
    from .answer_text import to_dict, to_text
    from .answers import answer
    from .data.progress import counting

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


def _suited(run: Run, query: Query, mode: str | None) -> Query:
    """Without labels there is nothing to intervene on: the antecedent is then observed, unless --do insists."""
    if run.labels is not None or query.mode == "observe":
        return query
    if mode == "do":
        raise QueryError("the run has no labels to intervene on; ask it with --observe")
    return query.as_mode("observe")


if __name__ == "__main__":
    sys.exit(run_command(main))
