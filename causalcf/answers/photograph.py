"""Answer a question about a photograph: its labels as they are read, its counterfactuals with and without residual."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import ImpossibleWorldError, IntractableError, QueryError
from ..language import short
from ..language.query import Query
from ..pictures.sheets import Panel, save_captioned
from ..randomness import fresh
from ..runs.recipe import STICKINESS
from ..runs.run import Run
from .answer import SEEN, name_of_judge, owner_of_labels
from .text import JUDGES, conditions, in_columns

READINGS = 100  # draws of the labels that are not given; each has its own counterfactual


@dataclass(frozen=True)
class PhotographAnswer:
    """Answer about one photograph; `seen` are mean probabilities by the judge, with the residual and without."""

    query: Query
    method: str
    stickiness: float
    noise_stickiness: float
    names: tuple[str, ...]
    given: Mapping[str, int]
    read: Tensor  # (d,) share of the readings in which a label is 1
    expected: Mapping[str, float] | None  # by the label model, in the counterfactual world
    judge: str  # "classifier" or "labeler"
    caveat: str
    images: int  # counterfactual images that `seen` is the mean of
    seen_before: Tensor  # (d,) probability in the photograph
    seen: Tensor  # (d,) in the counterfactual images
    seen_bare: Tensor
    decibels: float  # peak signal-to-noise ratio of the image without the residual
    photograph: Tensor
    reconstruction: Tensor
    drawn: Tensor  # (m, 3, 64, 64)
    bare: Tensor


def answer_photograph(
    run: Run,
    image: Tensor,
    query: Query,
    labels: Mapping[str, int] | None = None,
    method: str = "optimise",
    stickiness: float | None = None,
    noise_stickiness: float | None = None,
    draws: int = 4,
    generator: torch.Generator | None = None,
    budget: int = 20_000,
) -> PhotographAnswer:
    """Answer a query about one photograph, (3, 64, 64) in [0, 1].

    The conditions of the query and `labels` are taken as the photograph's. All other labels are read from it and drawn
    100 times from the probabilities of the reading, so that what is uncertain stays so in the answer.

    Raises:
        QueryError: a label of the query is not in the graph, or contradicts `labels`.
        ImpossibleWorldError, UnreachedError, RunError: as `run.abduct` and `run.counterfactual`.
    """
    query.check(run.graph.nodes, owner_of_labels(run))
    given = dict(labels or {})
    for name, value in query.given.items():
        if given.setdefault(name, value) != value:
            raise QueryError(f"the question says {name}={value} of the photograph, and the labels say {given[name]}")
    if run.labels is not None and given:
        with suppress(IntractableError):  # then the readings tell
            if run.labels.probability(given) == 0:
                raise ImpossibleWorldError(f"the label model says that nobody has {conditions(given)}")
    generator = fresh(generator)
    sticky = STICKINESS[query.mode] if stickiness is None else stickiness
    noise_sticky = sticky if noise_stickiness is None else noise_stickiness
    read, _ = run.read_labels(image.expand(READINGS, -1, -1, -1), given, generator)
    weights = _weights(run, read, query, sticky)
    # An antecedent that is observed tells of the labels, too: a reading counts by how probable it makes it.
    facts = read if weights is None else read[weights.multinomial(READINGS, replacement=True, generator=generator)]
    facts = facts if run.labels is not None else facts[:1]  # without labels each takes a search
    rows, which = facts.unique(dim=0, return_inverse=True)
    found = run.abduct(image.expand(len(rows), -1, -1, -1).contiguous(), rows, method, generator)
    asked: dict[str, Any] = {query.mode: query.antecedent}
    numbers: dict[str, Any] = {"stickiness": sticky, "noise_stickiness": noise_sticky, "budget": budget}
    worlds = found.select(which)
    state = generator.get_state()
    with_residual = run.counterfactual(worlds, **asked, **numbers, draws=draws, generator=generator).images
    generator.set_state(state)  # the same draws
    bare = run.counterfactual(worlds.without_residual(), **asked, **numbers, draws=draws, generator=generator).images
    expected = None
    if run.labels is not None:
        of_model = run.labels.counterfactual_probabilities
        with suppress(IntractableError):  # a graph with too many parents: the images answer alone
            possible = read if weights is None else read[weights > 0]
            share = torch.ones(len(read)).double() if weights is None else weights[weights > 0]
            expected = {
                name: float(share @ of_model({name: 1}, possible, **asked, stickiness=sticky) / share.sum())
                for name in run.graph.nodes
            }
    first = slice(1 if run.labels is not None else None)  # one draw for each reading
    seen, seen_bare = (run.judge(images[:, first].flatten(0, 1)).mean(0) for images in (with_residual, bare))
    shown = int((which == which.mode().values).nonzero()[0])  # a world of the commonest reading
    off = float((worlds.generated[shown] - image).square().mean())
    return PhotographAnswer(
        query, method, sticky, noise_sticky, run.graph.nodes, given, read.double().mean(0), expected,
        name_of_judge(run), run.caveat, with_residual[:, first].flatten(0, 1).shape[0],
        run.judge(image[None])[0], seen, seen_bare,
        -10 * math.log10(max(off, 1e-10)), image, worlds.generated[shown], with_residual[shown], bare[shown],
    )  # fmt: skip


def _weights(run: Run, read: Tensor, query: Query, stickiness: float) -> Tensor | None:
    """Return (n,) P(antecedent observed | reading) of (n, d) readings; None where all count the same."""
    if run.labels is None or query.mode != "observe":
        return None
    with suppress(IntractableError):
        found = run.labels.counterfactual_probabilities(query.antecedent, read, stickiness=stickiness)
        if not bool(found.any()):
            text = "no reading of the photograph's labels leaves it possible; lower stickiness="
            raise ImpossibleWorldError(f"{conditions(query.antecedent)} cannot be observed: {text}")
        return found
    return None


def save_photograph(path: str | Path, answers: Mapping[str, PhotographAnswer]) -> None:
    """Write a sheet with a row for each photograph: itself, its reconstruction, its counterfactuals, the difference."""
    rows = []
    for name, found in answers.items():
        read = dict(zip(found.names, found.read.tolist(), strict=True))
        likely = ", ".join(short(label, 1) for label, share in read.items() if share > SEEN)
        row = [Panel(found.photograph, [name, likely]), Panel(found.reconstruction.clamp(0, 1), [_decibels(found)])]
        row += [Panel(image) for image in found.drawn]
        row.append(Panel(found.bare[0]))
        apart = (found.drawn[0] - found.photograph).div(2).add(0.5).clamp(0, 1)
        rows.append([*row, Panel(apart)])
    one = next(iter(answers.values()))
    draws = [f"draw {j + 1}" for j in range(len(one.drawn))]
    headings = ["photograph", "without residual", *draws, "draw 1, no residual", "difference"]
    save_captioned(path, rows, title=f"What if: {conditions(one.query.antecedent)}?", headings=headings)


def photograph_text(name: str, cut: str, found: PhotographAnswer) -> str:
    """Return the answer as text: how the photograph was taken, and a table of all labels."""
    query = found.query
    lines = [
        f"{name}: {cut}; {query.mode} {conditions(query.antecedent)}",
        f"method {found.method}: {_decibels(found)} without the residual; stickiness {found.stickiness:g} (image noise "
        f"{found.noise_stickiness:g})",
        "",
    ]
    heads = ["P(label = 1)", "of the photograph", "label model, after", "seen before", "seen after", "no residual"]
    table = [heads]
    for i, label in enumerate(found.names):
        share = f"{found.read[i]:.2f}" + (" given" if label in found.given else " read")
        model = "-" if found.expected is None else f"{found.expected[label]:.4f}"
        seen = (f"{probabilities[i]:.2f}" for probabilities in (found.seen_before, found.seen, found.seen_bare))
        marked = label + (" (antecedent)" if label in query.antecedent else "")
        table.append([marked, share, model, *seen])
    lines += in_columns(table)
    each = "reading of the labels" if found.images == READINGS else "draw of the noise"
    lines.append(
        f"seen: mean probability by {JUDGES[found.judge]}; after: over {found.images} images, one for each {each}"
    )
    return "\n".join([*lines, *([f"beware: {found.caveat}"] if found.caveat else [])])


def photograph_dict(name: str, cut: str, found: PhotographAnswer) -> dict[str, Any]:
    """Return the answer as plain values for JSON."""
    labels = {}
    for i, label in enumerate(found.names):
        labels[label] = {
            "given": found.given.get(label),
            "read": float(found.read[i]),
            "expected": None if found.expected is None else found.expected[label],
            "seen_before": float(found.seen_before[i]),
            "seen_after": float(found.seen[i]),
            "seen_after_without_residual": float(found.seen_bare[i]),
        }
    query = found.query
    return {
        "photograph": name,
        "cut": cut,
        "antecedent": query.antecedent,
        "mode": query.mode,
        "method": found.method,
        "stickiness": found.stickiness,
        "noise_stickiness": found.noise_stickiness,
        "psnr_without_residual": found.decibels,
        "judge": found.judge,
        "caveat": found.caveat,
        "images": found.images,
        "labels": labels,
    }


def _decibels(found: PhotographAnswer) -> str:
    return f"PSNR {found.decibels:.1f} dB"
