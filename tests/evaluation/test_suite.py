"""Suites: what is shipped, and what is refused."""

import pytest

from causalcf.errors import QueryError, StatementError
from causalcf.evaluation.suite import Link, LinkQuestion, load_suite
from causalcf.graph.files import load_graph


def written(tmp_path, text):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return file


def test_the_shipped_suite_asks_all_that_its_graph_has():
    suite, nodes = load_suite("celeba"), load_graph("celeba").nodes
    asked = suite.questions(nodes)
    assert len(asked) == 72 + len(suite.more) and len(suite.queries) == 6 and suite.axioms and suite.realism
    collider = LinkQuestion(Link("Young", "Male"), {"Bald": 1}, {"Bald": 1})
    assert collider in asked and suite.shows(LinkQuestion(Link("Bald", "Young")))


def test_a_suite_says_which_labels_its_graph_lacks():
    with pytest.raises(QueryError, match=r"Young->Male\b.*'Bald'"):
        load_suite("celeba").questions(("Young", "Male"))


def test_left_out_keys_have_defaults(tmp_path):
    suite = load_suite(written(tmp_path, 'links: ["Young:Bald", {link: "Male->Bald", given: {Young: 0}}]'))
    assert suite.name == "mine" and suite.faces == 100 and suite.half_width is None
    assert suite.questions(("Young", "Male", "Bald")) == [
        LinkQuestion(Link("Young", "Bald")),
        LinkQuestion(Link("Male", "Bald"), {"Young": 0}),
    ]


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("lnks: all", "'lnks'.*'links'"),
        ("links: Young->Bald", r"\blinks\b"),
        ("links: [{link: 3}]", r"\b3\b.*\blink\b|\blink\b.*\b3\b"),
        ("links: [{lin: a->b}]", r"\blin\b.*\blink\b"),
        ("links: [{link: a->b, given: {c: 2}}]", "a->b, given: "),
        ("links: [{link: a->b, held: [c]}]", "a->b, held: "),
        ("faces: 0", "faces: "),
        ("faces: true", "faces: "),
        ("axioms: 1", "axioms: "),
        ("half_width: wide", "half_width: "),
        ("photographs: 1", r"\bphotographs is 1\b.*\b4\b"),
        ("queries: nowhere", "nowhere"),
        ("queries: {a: 'What if they smiled?'}", "queries: "),
        ("statements: nowhere", "nowhere"),
        ("statements: {a: 'If this man were old, he might be bald.'}", "statements: "),
        ("half_width: 0.0001", r"\bhalf_width\b.*\b0\.0001\b.*\[0\.01, 0\.098\]"),
        ("[]", "a suite"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, culprit):
    with pytest.raises(QueryError, match=rf"mine\.yaml.*{culprit}"):
        load_suite(written(tmp_path, text))


def test_statements_are_checked_before_anything_is_asked(tmp_path):
    suite = load_suite(written(tmp_path, "links: []\nstatements: celeba"))
    assert len(suite.statements) == 18 and suite.questions(load_graph("celeba").nodes) == []
    with pytest.raises(StatementError, match=r"old-man-bald\b.*'Bald'"):
        suite.questions(("Young", "Male"))
    clash = tmp_path / "clash.yaml"
    clash.write_text(
        "statements:\n  one: If this man were old, he might be bald.\n"
        "  two: If this man were old, he would not be bald.\n"
    )
    with pytest.raises(QueryError, match=r"mine\.yaml: .*clash\.yaml: .*\bone and two\b"):
        load_suite(written(tmp_path, f"links: []\nstatements: {clash}"))


def test_a_cause_cannot_be_held():
    with pytest.raises(QueryError, match=r"a->b: .*\ba\b.*held"):
        LinkQuestion(Link("a", "b"), held={"a": 1}).check(("a", "b"))


def test_an_effect_cannot_be_held():
    with pytest.raises(QueryError, match=r"a->b: .*\bb\b.*held"):
        LinkQuestion(Link("a", "b"), held={"b": 1}).check(("a", "b"))
