"""What a report says of its own limits follows from the data, the graph, the judge and the number of runs."""

from html import unescape

import pytest
from helpers.report_toys import small, suite
from markdown_it import MarkdownIt

from causalcf.evaluation.report.summary import limits
from causalcf.evaluation.report.write import write_report

PHOTOGRAPHS = {"name": "celeba", "n": 12000, "reference": "fitted", "told": "A label model fitted to the data."}


def test_five_sentences_whatever_was_asked():
    for outcome in (small(), suite(), {**suite(), "data": PHOTOGRAPHS}):
        description = limits(outcome)
        assert len(description) == 5 and all(line.endswith(".") and line.count(". ") == 0 for line in description)


def test_faces_and_photographs_are_told_apart():
    faces, photographs = limits(suite()), limits({**suite(), "data": PHOTOGRAPHS})
    assert "nothing of photographs" in faces[0] and "the law that the faces were drawn by" in faces[1]
    assert "nobody's sex or gender" in photographs[0] and "The causal graph is an assumption" in photographs[1]
    assert ".152" in photographs[1] and ".011" in photographs[1]  # the fit, and what is chance
    assert "was not measured" in limits({**small(), "data": PHOTOGRAPHS, "graph_fit": {}})[1]
    assert faces[2] == photographs[2] and "not identified" in faces[2]


@pytest.mark.parametrize("independent", [True, False])
def test_the_judge_that_may_be_deceived_is_named(independent):
    outcome = suite()
    weak = {name: {**scores, "withheld": name == "Bald"} for name, scores in outcome["judge"]["attributes"].items()}
    description = limits({**outcome, "judge": {**outcome["judge"], "independent": independent, "attributes": weak}})[3]
    assert ("not independent" in description) is not independent and "of Bald too often for a verdict" in description


def test_the_number_of_runs_is_counted_once_each():
    outcome = suite()
    one, *others = outcome["approaches"]
    assert "1 run was asked" in limits({**outcome, "approaches": [one, {**one, "name": "other"}]})[4]
    assert "2 runs were asked" in limits({**outcome, "approaches": [one, {**others[0], "run": "other"}]})[4]


def associated(*values):
    made = [{"value": value, "low": value - 0.1, "high": value + 0.1, "n": 2000} for value in values]
    pairs = [("Bald", "Male"), ("Male", "Young"), ("Bald", "Young")]
    return [
        {"cause": a, "effect": b, "from": "held-out images", **one} for (a, b), one in zip(pairs, made, strict=False)
    ]


def test_what_the_data_themselves_show_is_said_if_it_exceeds_the_margin():
    assert len(limits({**small(), "associations": associated(0.04, -0.05)})) == 5
    said = limits({**small(), "associations": associated(0.07, 0.01, -0.31)})[5]
    assert "2 of the 3 pairs" in said and "Bald->Young -0.310" in said and "faithfully" in said
    assert "the one pair" in limits({**small(), "associations": associated(0.07)})[5]


def test_both_reports_show_them(tmp_path):
    outcome = {**small(), "data": PHOTOGRAPHS, "associations": associated(0.07, 0.01, -0.31)}
    for link in outcome["links"]:
        link["picture"] = None
    write_report(tmp_path, outcome)
    page = (tmp_path / "report.html").read_text()
    text = MarkdownIt().render((tmp_path / "report.md").read_text())
    for shown in (page, text):
        assert "The data themselves, 2,000 held-out images" in shown and "-0.310 [-0.410, -0.210]" in shown
    for line in limits(outcome):
        assert line in unescape(page) and line in unescape(text)
    assert '<section id="limits">' in page and 'href="#limits"' in page
