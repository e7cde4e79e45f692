"""The table of questions beside this file: how each is read in a graph, or that it is refused."""

from pathlib import Path

import pytest

import causalcf as cf
from causalcf.errors import QueryError
from causalcf.language.query import Query

ROWS = [line.split("\t") for line in Path(__file__).with_name("questions.tsv").read_text().splitlines()[1:]]


def conditions(said):
    return {name: int(value) for name, value in (one.split("=") for one in said.split())}


def reading(graph, question):
    """As `ask` reads it; the graph is a preset or a list of labels."""
    nodes = graph.split(",") if "," in graph else cf.load_graph(graph).nodes
    try:
        query = Query.parse(question, nodes)
        query.check(nodes)
    except QueryError:
        return "refused"
    return query.given, query.antecedent


def test_every_question_of_the_table_is_read_as_it_is_meant_or_refused():
    assert len(ROWS) > 400 and len({tuple(row[:2]) for row in ROWS}) == len(ROWS)
    wrong = []
    for graph, question, given, *antecedent in ROWS:
        wanted = "refused" if given == "refused" else (conditions(given), conditions(antecedent[0]))
        found = reading(graph, question)
        if found != wanted:
            wrong.append(f"{question} [{graph}]: {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("labels", "question", "named"),
    [
        ("Male,Young,Old", "What if an elderly man smiled?", "'Old' or 'Young'"),
        ("Male,female", "What if a woman smiled?", "'Male' or 'female'"),
        ("Hat,hat", "What if they wore a hat?", "'Hat' or 'hat'"),
        ("Mouth_Closed,Mouth_Slightly_Open", "What if their mouth were shut?", "'Mouth_Closed' or 'Mouth_Sli"),
    ],
)
def test_where_two_labels_could_be_meant_both_are_named(labels, question, named):
    with pytest.raises(QueryError, match=named):
        Query.parse(question, labels.split(","))


@pytest.mark.parametrize("question", ["What would a dog look like with glasses?", "How would he seem with glasses?"])
def test_a_refusal_shows_the_form_and_no_far_fetched_hint(question):
    with pytest.raises(QueryError, match='ask for example "Given a woman, what if she had a moustache') as caught:
        Query.parse(question, ["Male", "Eyeglasses", "Mouth_Slightly_Open"])
    assert "near" not in str(caught.value)
