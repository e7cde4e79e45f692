"""Everything that reads text from elsewhere, each with valid examples and the tokens of its language."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from causalcf import train as train_options
from causalcf.cli.parser import parse_conditions
from causalcf.data.tables import read_attributes, read_partition
from causalcf.evaluation.suite import Link, load_suite
from causalcf.graph.files import load_graph
from causalcf.io.yaml import preset_folder
from causalcf.language.lists import load_queries, load_statements
from causalcf.language.query import Query
from causalcf.language.statement import Statement
from causalcf.language.vocabulary import WORDS

NAMES = ("Male", "Young", "Bald", "Mustache", "Smiling", "Eyeglasses", "No_Beard", "Nobody")
# fmt: off
YAML = (
    ": ", ":\n  ", "- ", "[", "]", "{", "}", ", ", "#", "|", ">", "null", "true", "0", "1", "2024-01-01", "&a", "*a",
)
SAID = (
    *sorted(WORDS)[::7], "if", "what if", "given", "a", "an", "he", "she", "they", "who", "is", "were", "had", "not",
    "no", "neither", "nor", "or", "and", "but", ",", "without", "might", "would", "probably", "likely", "both", "(who",
    ")", "become", "lose", "we saw that", "it turned out that", "turned out to", "this", "man", "woman", "'s", "n't",
)
# fmt: on
TEXT = "3\nBald Male Young\n1.jpg -1  1  1\n2.jpg  1  1 -1\n3.jpg -1 -1  1\n"
CSV = 'file,Bald,"Male",split\na.png,1,0,train\nsub/b.png,0,1,valid\n"c,d.png",1,1,test\n'


@dataclass(frozen=True)
class Parser:
    """What is fuzzed.

    Args:
        read: takes a text, or the path of a file that holds it.
        examples: valid ones.
        tokens: of the language.
        file: the name of the file that the text is written to, or None where `read` takes the text.
        command: flags of a command line that reads it, "{}" standing for the text or the file; or ().
    """

    read: object
    examples: tuple
    tokens: tuple
    file: str | None = None
    command: tuple = ()


def shipped(kind):
    """The texts of all presets of a kind."""
    return tuple(path.read_text() for path in sorted(preset_folder(kind).glob("*.yaml")))


QUESTIONS = tuple(str(query) for query in load_queries().values())
STATEMENTS = tuple(str(one) for one in load_statements("celeba").values())
LISTS = tuple(text for text in shipped("eval") if "queries:" in text and "links" not in text)
WRITTEN = """statements:
  mine: {given: {Young: 1, Male: 1}, antecedent: {Young: 0}, modal: might, consequent: {Bald: 1}, mode: observe}
  other: If this young man were old, he might be bald.
"""
SUITE = """name: mine
links: ["Young->Bald", {link: Male:Bald, given: {Young: 1}, held: {Smiling: 0}}]
more: [{link: Male->Mustache}]
shown: [Young->Bald]
faces: 10
half_width: .05
axioms: false
"""
RECIPE_KEYS = ("width", "images", "batch", "approach", "labels", "statements", "seed", "told", "judge", "name", "data")


flags_of_train = cache(train_options._parser)


def suite_or_list(path):
    """A file of `eval/`, whichever of the two kinds it is."""
    return load_queries(path) if "queries:" in Path(path).read_text(errors="replace")[:200] else load_suite(path)


def recipe(path):
    """As `python -m causalcf.train --recipe PATH --dry-run` reads it, with one parser of flags for all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_options, "_parser", flags_of_train)
        train_options.parse_options(["--recipe", str(path), "--dry-run"])


def flag(text):
    """As a link given by `--link`."""
    Link.parse(text).check(NAMES)


def conditions(text):
    parse_conditions([text], "--given", NAMES)


DRAW, TRAIN = ("causalcf.draw", "--mermaid", "{}"), ("causalcf.train", "--dry-run", "--recipe", "{}")
EVAL, ASK = ("causalcf.eval", "--runs-dir", "/nonexistent"), ("causalcf.ask", "--run", "/nonexistent")
BITS = ("0", "1", "-1", "\n")
PARSERS = {
    "graph": Parser(load_graph, shipped("graphs")[-5:], (*NAMES, *YAML, "nodes:"), "mine.yaml", DRAW),
    "recipe": Parser(recipe, shipped("train"), (*RECIPE_KEYS, *YAML, *NAMES), "mine.yaml", TRAIN),
    "suite": Parser(
        suite_or_list, (*shipped("eval"), SUITE), (*NAMES, *YAML, "->", "links"), "mine.yaml", (*EVAL, "--suite", "{}")
    ),
    "link": Parser(
        flag, ("Young->Bald", "Male:Bald", "Young→Bald"), (*NAMES, "->", "→", ":", "-"), None, (*EVAL, "--link={}")
    ),
    "statement": Parser(lambda text: print(Statement.parse(text)), STATEMENTS, SAID),
    "statements": Parser(
        load_statements,
        (*shipped("eval/statements"), WRITTEN),
        (*NAMES, *YAML, *SAID),
        "mine.yaml",
        ("causalcf.statements", "{}"),
    ),
    "query": Parser(lambda text: print(Query.parse(text)), QUESTIONS, SAID, None, (*ASK, "--", "{}")),
    "queries": Parser(load_queries, LISTS, (*NAMES, *YAML, *SAID), "mine.yaml", (*ASK, "--queries", "{}")),
    "conditions": Parser(
        conditions,
        ("Male=1", "Male=0, Young=1,Bald=0"),
        (*NAMES, "=", ",", *BITS),
        None,
        (*ASK, "--if=Bald=1", "--given={}"),
    ),
    "table": Parser(read_attributes, (TEXT,), (*NAMES, *BITS, " ", "1.jpg"), "list.txt"),
    "csv": Parser(read_attributes, (CSV,), (*NAMES, *BITS, ",", '"', "split", "train"), "list.csv"),
    "partition": Parser(read_partition, ("1.jpg 0\n2.jpg 1\n3.jpg 2\n",), (*BITS, "2", " ", "1.jpg"), "list.txt"),
}
