"""What the page of a run holds beside its networks: the label model, the words it reads, noise, limits and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import torch

from ..data.imagefiles import ALIGNED
from ..data.photographs import EYES
from ..errors import RunError
from ..graph.graph import CausalGraph
from ..io.untrusted import read_json, rebuilding
from ..labels import LabelSCM
from ..labels.evidence import configurations
from ..labels.mechanisms import ThresholdMechanism
from ..language import vocabulary as v
from ..language.lists import example_questions
from ..language.names import vocabulary
from ..language.vocabulary import ROLES, Role
from ..pictures.gallery import coordinate_effects
from ..runs.abduction import FADING
from ..runs.exported import LICENCES, evaluated_approaches
from ..runs.run import Run

MAX_PARENTS = {True: 12, False: 6}  # of a label whose noise is a threshold, and of another: 4,096 cells
COORDINATES = 12  # sliders
FACES = 4  # over which a coordinate's effect is averaged
POSITIONS = 3

LACKS_LABELS = (
    "This run has no labels (approach dcgan): its faces answer to noise alone, so nothing can be set or observed here. "
    "With a classifier beside the run, python -m causalcf.ask can observe labels in its images."
)
LACKS_REPORT = (
    "This page holds no evaluation. python -m causalcf.eval measures whether the links show in the images; then write "
    "the page again with --report report.json."
)


def label_model(scm: LabelSCM) -> dict[str, Any]:
    """Return the label model as tables: P(node = 1 | parents), and transitions where the coupling is another one.

    Raises:
        RunError: a label has too many parents for a table in a page.
    """
    tables: list[list[float]] = []
    transitions: list[list[list[float]] | None] = []
    for node in scm.graph.nodes:
        mechanism = scm.mechanisms[node]
        threshold, p = isinstance(mechanism, ThresholdMechanism), mechanism.n_parents
        if p > MAX_PARENTS[threshold]:
            raise RunError(f"{node} has {p} parents; a page takes at most {MAX_PARENTS[threshold]} for its tables")
        cells = configurations(p)
        tables.append(mechanism.probability(cells).tolist())
        if threshold:
            transitions.append(None)
            continue
        old, new = cells.repeat_interleave(len(cells), 0), cells.repeat(len(cells), 1)
        labels = (torch.full((len(old),), value, dtype=torch.int8) for value in (0, 1))
        transitions.append([mechanism.transition(label, old, new).tolist() for label in labels])
    position = {node: i for i, node in enumerate(scm.graph.nodes)}
    parents = [[position[name] for name in scm.graph.parents(node)] for node in scm.graph.nodes]
    return {"nodes": scm.graph.nodes, "parents": parents, "tables": tables, "transitions": transitions}


def language(names: Sequence[str]) -> dict[str, Any]:
    """Return the words that the page reads: phrases of the graph's labels, and what the function words do."""
    words = {
        phrase: {"label": label, "value": value, "kind": v.kind(phrase).name.lower()}
        for phrase, (label, value) in vocabulary(names).items()
        if label in names and value in (0, 1)
    }
    does = {Role.LEAD: "lead", Role.NOT: "not", Role.AND: "joint", Role.BUT: "joint", Role.OR: "or"}
    does |= {Role.COMMA: "joint", Role.PERSON: "person", Role.SKIP: "skip", Role.ARTICLE: "skip"}
    roles = {word: does[role] for word, role in ROLES.items() if word != v.POSSESSIVE}
    roles |= {"have": "lead", "wear": "lead"} | dict.fromkeys(v.COMPARISONS, "comparison")
    roles = {word: role for word, role in roles.items() if word.split()[0] not in ("stop", "stopped", "stops")}
    roles |= dict.fromkeys(v.SEX, "skip") | dict.fromkeys(v.SUBJECTS, "skip")
    denying = {word for word, role in roles.items() if role == "not" and word.split()[0] not in v.DENIALS}
    having = sorted((v.HAVING - {"got"}) | denying - {"no longer"} | {w for w in roles if w.startswith("put")})
    verbs = {"finite": sorted(v.FINITE), "having": having, "gerunds": sorted(v.GERUNDS)}
    return {"words": words, "roles": roles, "pronouns": dict(v.SEX), **verbs}


def coordinates(run: Run, on_coordinate: Callable[[int], None] = lambda n: None) -> list[dict[str, float]]:
    """Return the coordinates of the noise that change the image most, the largest first."""
    worlds = run.sample(FACES, generator=torch.Generator().manual_seed(0))
    labels = worlds.labels if run.labels is not None else torch.zeros(FACES, 0)
    positions = torch.linspace(-1, 1, POSITIONS) * run.recipe.noise_range
    effects = coordinate_effects(run.generate, worlds.noise, labels, positions, on_coordinate)
    return [{"coordinate": effect.coordinate, "change": effect.change} for effect in effects[:COORDINATES]]


def photograph(run: Run) -> dict[str, Any]:
    """Return where the eyes lie in the crop, as shares of its side, and the size of images that are aligned already."""
    (width, height), crop = ALIGNED, run.recipe.crop
    eyes = None
    if run.recipe.data == "celeba":
        eyes = [((x - (width - crop) / 2) / crop, (y - (height - crop) / 2) / crop) for x, y in EYES]
    return {"eyes": eyes, "aligned": {"width": width, "height": height, "crop": crop}}


def lacking(run: Run, report: bool) -> dict[str, str]:
    """Return for each part of the page why it is not there, or ""."""
    why = ""
    if run.labels is None:
        why = "This run has no labels, so a photograph cannot be asked about here."
    elif run.encoder is None:
        why = (
            "This run has no encoder, so the page cannot find a photograph's noise. Make one with python -m "
            "causalcf.encode RUN, and write the page again; or ask with python -m causalcf.ask --photo FILE."
        )
    return {"labels": "" if run.labels else LACKS_LABELS, "photograph": why, "report": "" if report else LACKS_REPORT}


def verdicts(path: Path, run: str, images: int) -> list[dict[str, str]]:
    """Return the links of an evaluation's report that are of this run after so many images.

    Raises:
        RunError: the report has none.
    """
    with rebuilding(path):
        report = read_json(path)
        own = evaluated_approaches(report, path, run, images)
        found = [_verdict(link) for link in report["links"] if link["approach"] in own]
    if not found:
        raise RunError(f"{path} has no links of {run}; evaluate it with python -m causalcf.eval --suite")
    return found


def _verdict(link: Mapping[str, Any]) -> dict[str, str]:
    parts = {key: str(link[key]) for key in ("cause", "effect", "approach", "verdict")}
    interval = link["interval"]
    figures = f" Interval [{interval[0]:+.3f}, {interval[1]:+.3f}]." if interval else ""
    return {**parts, "sentence": f"{link['approach']}: {link['sentence'] or link['why']}{figures}"}


def page_facts(run: Run, version: str, fingerprint: str) -> dict[str, str]:
    """Return what the page says of where the run comes from."""
    recipe = run.recipe
    data = run.trained_on.fingerprint if run.trained_on else "unknown"
    return {
        "Run": run.folder.name,
        "Recipe": f"{recipe.name}, {recipe.approach}, generator {recipe.networks[0]}, width {recipe.width}",
        "Data": f"{recipe.data}, fingerprint {data}",
        "Licence of the data": LICENCES[recipe.data],
        "Images seen": f"{run.step * recipe.batch:,}",
        "Seed": str(recipe.seed),
        "Versions": f"causalcf {version}, torch {torch.__version__}",
        "Fingerprint of this page": fingerprint,
    }


def generations(graph: CausalGraph) -> list[list[str]]:
    """Return the labels in rows, each below its causes."""
    return [sorted(row, key=graph.nodes.index) for row in nx.topological_generations(graph.to_networkx())]


def page_contents(
    run: Run, links: Iterable[Mapping[str, str]] | None, on_coordinate: Callable[[int], None]
) -> dict[str, Any]:
    """Return the page's contents as plain values, without the networks."""
    labelled = run.labels is not None
    return {
        "labels": label_model(run.labels) if run.labels is not None else None,
        "generations": generations(run.graph) if labelled else [],
        "edges": list(run.graph.edges) if labelled else [],
        "language": language(run.graph.nodes) if labelled else None,
        "examples": example_questions(run.graph) if labelled else [],
        "noiseDim": run.recipe.noise_dim,
        "truncation": run.recipe.noise_range,
        "coordinates": coordinates(run, on_coordinate),
        "photograph": photograph(run),
        "fading": FADING,
        "lacks": lacking(run, links is not None),
        "links": None if links is None else list(links),
    }
