"""Names and errors from elsewhere are shown as text on the terminal: no escapes, no markup, no reversed writing."""

import io
import json
import re
import unicodedata

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from causalcf.cli.command import run
from causalcf.errors import CausalCFError, GraphError, QueryError, nearest, unknown
from causalcf.eval import failed
from causalcf.graph.graph import CausalGraph
from causalcf.io.text import escaped
from causalcf.language.lists import load_queries, load_statements

TRICKS = ["\x1b[2J", "\x1b]0;owned\x07", "a\rb", "\u202ekcab", "\x9b1m", "\ud800", "a\nb", "\x00"]


def harmless(text):
    return not [c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in "\u202e\u2066"]


@pytest.mark.parametrize("trick", TRICKS)
def test_errors_are_one_line_with_control_characters_made_visible(trick, capsys):
    def refuse():
        raise CausalCFError(f"no file {trick}")

    assert run(refuse) == 2
    said = capsys.readouterr().err
    assert said.endswith("\n") and said.count("\n") == 1 and harmless(said[:-1])
    assert said == f"error: no file {escaped(trick)}\n"


@given(st.text())
def test_escaping_loses_nothing(text):
    shown = escaped(text)
    assert harmless(shown)
    if "\\" not in text:
        assert shown.encode("latin-1", "backslashreplace").decode("unicode_escape") == text


def test_what_is_printable_stays_as_it_is():
    assert escaped("Größe → 日本 [red]x[/] نمی\u200cخواهم") == "Größe → 日本 [red]x[/] نمی\u200cخواهم"


@pytest.mark.parametrize("trick", TRICKS)
def test_names_of_nodes_questions_and_statements_are_printable(trick, tmp_path):
    with pytest.raises(GraphError):
        CausalGraph({f"Bald{trick}": []})
    for load, key in ((load_queries, "queries"), (load_statements, "statements")):
        file = tmp_path / f"{key}.yaml"
        file.write_text(json.dumps({key: {f"my{trick}": "x"}}))  # YAML reads JSON's escapes
        with pytest.raises(QueryError, match=r"(queries|statements)\.yaml: .*(printed|allowed|unknown|YAML)"):
            load(file)


def test_an_exit_code_s_reason_is_harmless(capsys):
    from types import SimpleNamespace

    link = {"cause": "A\x1b[2J", "effect": "B", "approach": "\u202ex", "verdict": "none", "why": "a\rb"}
    assert failed([link], SimpleNamespace(require="respected")) == 1
    said = capsys.readouterr().err
    assert harmless(said[:-1]) and "\\x1b[2J" in said


def test_markup_in_a_progress_bar_is_shown_as_it_stands():
    from rich.console import Console

    from causalcf.io import progress

    written = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rich.console.Console", lambda **options: Console(file=written, width=80))
        with progress.counting("faces, [red]x[/] [link=http://a.b]y", 2) as advance:
            advance(2)
    assert "faces, [red]x[/] [link=http://a.b]y" in written.getvalue()


def test_a_question_s_name_stays_in_the_picture_s_folder(tmp_path):
    from causalcf.ask import parse_options

    for name in ("../../x", "a/b", "x" * 61):
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"queries": {name: "What if this woman were bald?"}}))
        with pytest.raises(QueryError, match=re.escape(repr(name))):
            parse_options(["--queries", str(tmp_path / "mine.yaml"), "--run", "nowhere"])


def test_a_page_of_text_is_neither_compared_nor_shown():
    assert nearest("x" * 10**6, ["x" * 10**6, "Bald"]) == []
    assert len(unknown("attribute", "x" * 10**6, ["Bald"])) < 200


def test_answers_show_names_as_they_stand():
    from helpers.fake_run import GRAPH, TABLES, FakeRun

    from causalcf.answers.answer import answer
    from causalcf.answers.text import to_text
    from causalcf.language.query import Query

    assert set(TABLES) == set(GRAPH.nodes)
    marked = CausalGraph({"[red]Male[/]": []})
    found = answer(_Marked(FakeRun(), marked), Query({}, {"[red]Male[/]": 1}), faces=4, draws=1)
    assert "[red]Male[/] (antecedent)" in to_text(found) and harmless(to_text(found).replace("\n", ""))


class _Marked:
    """A run of one label with rich's markup in its name."""

    caveat = ""

    def __init__(self, run, graph):
        from causalcf.labels import LabelSCM

        self.run, self.graph, self.recipe, self.antecedent_classifier = run, graph, run.recipe, None
        self.labels = LabelSCM.from_probabilities(graph, dict.fromkeys(graph.nodes, 0.5))

    def sample(self, n, do=None, given=None, generator=None, **search):
        found = self.run.sample(n, generator=generator)
        found.labels = found.labels[:, :1]
        return found

    def counterfactual(self, worlds, do=None, **options):
        from types import SimpleNamespace

        return SimpleNamespace(images=worlds.images[:, None], labels=worlds.labels[:, None], diagnostics=())

    def judge(self, images):
        return images[:, 0, 0, :1]
