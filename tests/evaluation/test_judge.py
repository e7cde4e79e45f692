"""What a judge may say: nothing where it reads too poorly, no flip where nothing changed, not of its own pupils."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from helpers.classifier_toys import untrained
from helpers.judge_toys import NODES, images, written_classifier, written_judge, young_flipped

from causalcf.classifiers.storage import save_classifier
from causalcf.errors import ImpossibleWorldError, RunError, UnreachedError
from causalcf.evaluation.axioms import Flipped, effectiveness
from causalcf.evaluation.judge import independence_warnings, load_judge
from causalcf.evaluation.links import link_results, no_units
from causalcf.evaluation.session import Session, Settings
from causalcf.evaluation.suite import Link, LinkQuestion
from causalcf.graph.graph import CausalGraph
from causalcf.io.files import of_weights
from causalcf.runs.recipe import Recipe

GRAPH = CausalGraph({"Young": [], "Bald": ["Young"]})
QUESTION = LinkQuestion(Link("Young", "Bald"))


def asked(has_labels):
    return SimpleNamespace(
        name="toy", nodes=NODES, mode="observe", stickiness=0.5, has_labels=has_labels, generate=lambda *_: images()
    )


@pytest.mark.parametrize(("balanced", "withheld"), [(0.74, True), (0.76, False), (0.75, False)])
def test_verdicts_are_withheld_below_three_quarters(balanced, withheld):
    judge = written_judge(balanced)
    found = young_flipped(judge, images(*[(0.9, 0.01)] * 150), images(*[(0.1, 0.9), (0.1, 0.01)] * 75))
    (link,) = link_results(Session(asked(False), None, judge, Settings(150, 0.08)), GRAPH, found, [QUESTION])
    assert link["effect_estimate"] == -0.5 and link["reference"] == 0
    assert (link["verdict"], link["corrected"]["verdict"]) == (("withheld",) * 2 if withheld else ("leaks",) * 2)
    assert ("balanced accuracy on Bald is 0.740; a verdict takes 0.75" in link["why"]) == withheld
    assert judge.to_dict([])["attributes"]["Bald"]["withheld"] == withheld


def test_an_unchanged_image_is_no_effective_flip():
    judge = written_judge()
    sure, unsure, old = (0.9, 0.01), (0.6, 0.01), (0.1, 0.01)
    assert judge.facts(images(unsure))[0, 0] == 1 and judge.read(images(unsure))[0, 0] == 0  # a fact, but not read
    before, after = images(unsure, sure, sure, old), images(unsure, old, sure, sure)
    found = young_flipped(judge, before, after)
    assert found.shown(0).tolist() == [False, True, False, True]
    rate = effectiveness(asked(False), {"Young": Flipped.of(found, NODES)}, torch.zeros(0, 2), 0)
    assert rate["all"]["value"] == rate["labels"]["Young"]["value"] == 0.5


def test_with_labels_effectiveness_is_agreement_with_those_asked_for():
    judge = written_judge()
    labels = torch.tensor([[1, 0], [1, 0]], dtype=torch.int8)
    found = young_flipped(judge, images((0.6, 0.01), (0.9, 0.01)), images((0.1, 0.01), (0.9, 0.9)), labels)
    assert found.shown(0).tolist() == [True, False]
    rate = effectiveness(asked(True), {"Young": Flipped.of(found, NODES)}, torch.tensor([[0, 0]]), 0)
    assert rate["all"]["value"] == 0.5 and rate["labels"]["Young"]["value"] == 0.5
    assert rate["flipped"]["value"] == 0.5 and rate["flipped"]["n"] == 2 and rate["all"]["n"] == 4


def run(
    statements=None,
    constraint_classifier=None,
    labels="some",
    antecedent_classifier=None,
    folder=Path("base/some"),
    **recipe,
):
    recipe = Recipe(statements=statements, **recipe)
    return SimpleNamespace(
        recipe=recipe,
        constraint_classifier=constraint_classifier,
        labels=labels,
        antecedent_classifier=antecedent_classifier,
        folder=folder,
    )


def test_a_judge_that_no_run_knows_is_independent():
    judge = written_judge(marker=1.0)
    other = written_classifier(2.0, "another")
    runs = {
        "told": run("celeba", of_weights(other.network)),
        "seen": run(labels=None, antecedent_classifier=other),
        "plain": run(),
    }
    assert independence_warnings(judge, runs) == []


def test_a_judge_is_not_independent_of_a_run_that_it_told():
    judge = written_judge(marker=1.0)
    runs = {"plain": run(), "told": run("celeba", of_weights(written_classifier(1.0).network))}
    assert independence_warnings(judge, runs) == [
        "the judge is the classifier that told was told statements by: it may be deceived by it"
    ]


def test_a_judge_is_not_independent_of_a_run_told_by_one_of_its_kind(tmp_path, untrained_reader):
    reader, judge = untrained_reader
    (tmp_path / "reader").mkdir()
    save_classifier(tmp_path / "reader" / "classifier.pt", reader)
    recipe = {"statement_classifier": "/gone/reader", "runs_dir": str(tmp_path)}
    description = run("celeba", of_weights(reader.network), folder=tmp_path / "told", **recipe)  # beside the run
    assert independence_warnings(judge, {"told": description}) == [
        "the judge and a run's classifier are the same kind of network (residual): they may err alike"
    ]
    come_in_its_place = run("celeba", "f" * 16, folder=tmp_path / "told", **recipe)
    assert independence_warnings(judge, {"told": come_in_its_place}) == []
    unknown = run("celeba", None, folder=tmp_path / "told", **recipe)
    assert (
        len(independence_warnings(SimpleNamespace(classifier=reader, role="judge", name="x"), {"told": unknown})) == 2
    )


@pytest.fixture
def untrained_reader():
    """A reader, and a judge of the same kind with other weights."""
    from helpers.classifier_toys import untrained

    reader, other = untrained(), untrained()
    with torch.no_grad():
        next(other.network.parameters()).add_(1)
    return reader, SimpleNamespace(classifier=other, role="judge", name="toy")


def test_who_sees_antecedents_is_not_who_judges_them():
    judge = written_judge(marker=1.0)
    blind = run(labels=None, antecedent_classifier=written_classifier(1.0))
    assert independence_warnings(judge, {"dcgan": blind}) == [
        "the judge is the classifier that sees antecedents in the images of dcgan",
        "the judge and a run's classifier are the same kind of network (written): they may err alike",
    ]
    assert (
        independence_warnings(judge, {"labelled": run(antecedent_classifier=written_classifier(1.0))}) == []
    )  # nobody asks it


@pytest.mark.parametrize(
    ("role", "description"),
    [("classifier", "toy was trained as a classifier, not as a judge"), (None, "toy does not say what it was")],
)
def test_a_judge_was_trained_to_be_one(role, description):
    (doubt,) = independence_warnings(written_judge(role=role), {"some": run()})
    assert doubt.startswith(description)


def reported(folder, report):
    """A folder of a judge with this report of its scores."""
    save_classifier(folder / "classifier.pt", untrained())
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def ways_down(report):
    """Every place in a report where something could be missing."""
    if isinstance(report, dict):
        for key, value in report.items():
            yield (key,)
            yield from ((key, *deeper) for deeper in ways_down(value))


@pytest.mark.parametrize("put", ["nothing", [None], {}])
def test_a_report_that_lacks_anything_or_holds_another_type_is_refused_at_once(put, tmp_path):
    names = untrained().attributes
    report = {
        "attributes": dict.fromkeys(names, written_judge().scores["Young"]),
        "images": {"scored": {"n": 9, "told": "nine images"}},
    }
    assert load_judge(reported(tmp_path, report), names, "cpu").to_dict([])["told"] == "nine images"
    ways = [way for way in ways_down(report) if way[0] != "attributes" or len(way) == 1 or way[1] == names[0]]
    assert len(ways) > 20
    for way in ways:
        at = broken = json.loads(json.dumps(report))
        for key in way[:-1]:
            at = at[key]
        if put == "nothing":
            del at[way[-1]]
        else:
            at[way[-1]] = put
        with pytest.raises(RunError, match="report-only"):
            load_judge(reported(tmp_path, broken), names, "cpu")


def test_verdicts_are_withheld_on_labels_that_the_judge_was_never_scored_on():
    assert written_judge(None).too_weak("Bald") == "the judge was never scored on both values of Bald"


def test_a_question_that_nobody_answers_to_has_no_verdict_and_says_why():
    session = Session(asked(False), None, written_judge(), Settings(150, 0.08))
    for why, lost in ((UnreachedError("none found"), "unreached"), (ImpossibleWorldError("nobody"), "impossible")):
        (link,) = no_units(session, GRAPH, [QUESTION], why)
        assert link["verdict"] == "none" and link["n"] == 0 and link["effect_estimate"] is None
        assert link["units"][lost] == link["units"]["asked"] == 150 and link["units"]["told"] == str(why)
