"""Build the statement constraint of a recipe, and check its statements before training."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console

from ..classifiers.classifier import AttributeClassifier, data_caveat
from ..classifiers.storage import NAME, command_for, find_classifier, load_classifier, role_of
from ..data.images import DataSource, ImageData
from ..errors import RecipeError, RunError, StatementError
from ..graph.graph import CausalGraph
from ..io.files import of_weights
from ..labels import LabelSCM, fit_label_scm
from ..language.conflicts import Checked, check_statements, conflict_lines, print_table
from ..language.modals import EPS
from ..language.statement import Statement
from ..randomness import generator_of
from ..runs.recipe import Recipe
from .constraint import StatementConstraint
from .costs import Costs, Multipliers, Targets
from .sources import LabelledSource, PartlyLabelledSource, ReplaySource, Source, questions_of


def constraint_of(
    recipe: Recipe,
    statements: Mapping[str, Statement],
    scm: LabelSCM | None,
    data: ImageData,
    graph: CausalGraph,
    device: torch.device,
    precision: str,
    classifier_fingerprint: str | None = None,
) -> StatementConstraint:
    """Build the statement constraint of a run after checking statements and classifier; `graph` has all labels.
    `classifier_fingerprint`: of the constraint's classifier, if the run is resumed.
    """
    reference_scm = fit_label_scm(graph, data.select(graph.nodes))
    refuse_impossible(check_statements(statements, reference_scm, recipe.stickiness))
    trained_on = DataSource(recipe.data, data.fingerprint, recipe.data_root)
    try:
        classifier = statement_classifier(recipe, graph.nodes, device, trained_on)
    except RunError:
        if classifier_fingerprint is None:
            raise
        classifier = statement_classifier(recipe, graph.nodes, device)  # its data may have changed since it was begun
    if classifier_fingerprint not in (None, of_weights(classifier.network)):  # a newer one has been trained since
        classifier = _classifier_with(classifier_fingerprint, recipe, graph.nodes, device) or classifier
    return constraint_with(classifier, recipe, statements, reference_scm, scm, graph.nodes, device, precision)


def constraint_with(
    classifier: AttributeClassifier,
    recipe: Recipe,
    statements: Mapping[str, Statement],
    reference_scm: LabelSCM,
    scm: LabelSCM | None,
    nodes: Sequence[str],
    device: torch.device,
    precision: str,
) -> StatementConstraint:
    """Build the constraint from a classifier and label model; nothing is checked."""
    s, random = recipe.stickiness, generator_of(recipe.seed, "telling")  # apart from training's own draws
    mode = "observe" if scm is None else None  # without labels there is nothing to set: images are looked at
    questions = questions_of(statements, reference_scm.graph, recipe.keep_weight, recipe.null_weight, mode)
    source: Source
    if scm is not None and set(scm.graph.nodes) < set(nodes):
        source = PartlyLabelledSource(scm, nodes, recipe.noise_dim, s, recipe.statement_group, questions)
    elif scm is None:
        source = ReplaySource(nodes, recipe.noise_dim, s, recipe.statement_group, questions)
    else:
        source = LabelledSource(scm, recipe.noise_dim, s, questions, random)
    targets = Targets(reference_scm, nodes, s)
    for question in questions:  # a table that is too large is found before the training, not in it
        targets(question, reference_scm.sample(1, given=question.query.given, generator=generator_of(recipe.seed)))
    return StatementConstraint(
        questions,
        source,
        Costs(targets, recipe.contrast_weight, recipe.calibration_weight),
        classifier,
        of_weights(classifier.network),  # a resumed run must have the same
        Multipliers(recipe.statement_rate, recipe.statement_damping, recipe.statement_slack),
        recipe.statement_every,
        recipe.statement_group,
        recipe.statement_share,
        -(-recipe.statement_from // recipe.batch),
        device,
        precision,
        random,
        recipe.statement_smooth,
    )


def _classifier_with(
    fingerprint: str | None, recipe: Recipe, nodes: Sequence[str], device: torch.device
) -> AttributeClassifier | None:
    """Return the classifier in the runs folder that has these weights; None if there is none."""
    for file in sorted(Path(recipe.runs_dir).glob(f"classifier-{recipe.data}-*/{NAME}")):
        with suppress(RunError):
            found = statement_classifier(replace(recipe, statement_classifier=str(file)), nodes, device)
            if of_weights(found.network) == fingerprint:
                return found
    return None


def refuse_impossible(found: Sequence[Checked]) -> None:
    """Print the checked statements; raise StatementError if two conflict or one is vacuous."""
    print_table(found, EPS, Console(file=sys.stderr))
    wrong = conflict_lines(found) + [f"{one.name} is vacuous: {one.truth.reason}" for one in found if one.truth.vacuous]
    if wrong:
        raise StatementError(
            "these statements cannot be constraints: " + "; ".join(wrong) + ". Change them or leave them out"
        )


def statement_classifier(
    recipe: Recipe, nodes: Sequence[str], device: torch.device, data: DataSource | None = None
) -> AttributeClassifier:
    """Load the frozen classifier of the constraint; it must not be the judge."""
    file = find_classifier(recipe.statement_classifier or recipe.data, recipe.runs_dir, data=data)
    if role_of(file) == "judge":
        raise RecipeError(
            f"statement_classifier is {file.parent}, a judge; a generator trained against the judge deceives it. Train "
            f"another with: {command_for('classifier', recipe.data)}"
        )
    classifier = load_classifier(file, str(device))
    caveat = data_caveat(classifier, "the statements' classifier", data, "this training") if data else ""
    if caveat:
        warnings.warn(caveat, stacklevel=2)
    return replace(classifier.select(nodes), mirror=False)  # half the cost; evaluation's reader stays as it is
