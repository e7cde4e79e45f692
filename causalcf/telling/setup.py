"""From a recipe's statements to what tells them: checked against the label model before anything long starts."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from ..classifiers import AttributeClassifier, load_classifier
from ..classifiers.storage import command_for, find_classifier, role_of
from ..data.images import ImageData
from ..errors import RecipeError, StatementError
from ..fingerprints import of_weights
from ..graph_io import load_graph
from ..labels import LabelSCM, fit_label_scm
from ..losses.multipliers import Multipliers
from ..recipe import Recipe
from ..seeds import generator_of
from ..statement import Statement
from ..statement_checks import Checked, check_statements
from ..statement_modals import EPS
from ..statement_table import conflict_lines, print_table
from .costs import Costs
from .group import Source
from .labelled import LabelledSource
from .questions import questions_of
from .replay import ReplaySource
from .targets import Targets
from .telling import Telling


def telling_of(
    recipe: Recipe,
    statements: Mapping[str, Statement],
    scm: LabelSCM | None,
    data: ImageData,
    nodes: Sequence[str],
    device: torch.device,
    precision: str,
) -> Telling:
    """What tells a run the statements.

    Args:
        recipe: of the run.
        statements: named.
        scm: the run's label model; None for a generator without labels.
        data: the images, of whose labels the label model under the causal graph is fitted.
        nodes: the run's labels, in order.
        device, precision: where and how the networks run.

    Raises:
        StatementError: two statements conflict, or one is vacuous, or speaks of a label that the graph lacks.
        RecipeError: the classifier is a judge.
        RunError: no classifier.
    """
    graph = load_graph(recipe.graph)
    law = fit_label_scm(graph, data.select(graph.nodes))
    refuse_untellable(check_statements(statements, law, recipe.stickiness))
    classifier = statement_classifier(recipe, nodes, device)
    return tell_with(classifier, recipe, statements, law, scm, nodes, device, precision)


def tell_with(
    classifier: AttributeClassifier,
    recipe: Recipe,
    statements: Mapping[str, Statement],
    law: LabelSCM,
    scm: LabelSCM | None,
    nodes: Sequence[str],
    device: torch.device,
    precision: str,
) -> Telling:
    """The same with a classifier and a label model at hand; nothing is checked.

    Args:
        classifier: frozen, of `nodes` in their order.
        law: the label model under the causal graph, edges and all.
        recipe, statements, scm, nodes, device, precision: as in `telling_of`.
    """
    s, random = recipe.stickiness, generator_of(recipe.seed, "telling")  # apart from training's own draws
    mode = "observe" if scm is None else None  # without labels there is nothing to set: images are looked at
    questions = questions_of(statements, law.graph, recipe.keep_weight, recipe.null_weight, mode)
    source: Source
    if scm is None:
        source = ReplaySource(nodes, recipe.noise_dim, s, recipe.statement_group, questions)
    else:
        source = LabelledSource(scm, recipe.noise_dim, s, questions, random)
    return Telling(
        questions,
        source,
        Costs(Targets(law, nodes, s), recipe.contrast_weight, recipe.calibration_weight),
        classifier,
        of_weights(classifier.network),  # a resumed run must be told by the same
        Multipliers(recipe.statement_rate, recipe.statement_damping, recipe.statement_slack),
        recipe.statement_every,
        recipe.statement_group,
        recipe.statement_share,
        -(-recipe.statement_from // recipe.batch),
        device,
        precision,
        random,
    )


def refuse_untellable(found: Sequence[Checked]) -> None:
    """Prints what the label model says of statements, and refuses those that nobody could satisfy.

    Raises:
        StatementError: two conflict, or one is vacuous; says which and why.
    """
    from rich.console import Console

    print_table(found, EPS, Console(file=sys.stderr))
    wrong = conflict_lines(found) + [f"{one.name} is vacuous: {one.truth.reason}" for one in found if one.truth.vacuous]
    if wrong:
        raise StatementError("these statements cannot be told: " + "; ".join(wrong))


def statement_classifier(recipe: Recipe, nodes: Sequence[str], device: torch.device) -> AttributeClassifier:
    """The classifier that reads images for the statements: frozen, of the run's labels, each image read once.

    Raises:
        RecipeError: it is a judge, which must not have been trained against.
        RunError: there is none.
    """
    file = find_classifier(recipe.statement_classifier or recipe.data, recipe.runs)
    if role_of(file) == "judge":
        raise RecipeError(
            f"statement_classifier is {file.parent}, a judge; a generator trained against the judge deceives it. Train "
            f"another with: {command_for('classifier', recipe.data)}"
        )
    classifier = load_classifier(file, str(device))
    return replace(classifier.select(nodes), mirror=False)  # half the cost; evaluation's reader stays as it is
