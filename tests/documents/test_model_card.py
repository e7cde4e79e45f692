"""The model card says what it must, is led to, and its figures are those that were measured."""

import re

import pytest
from helpers.documents import ROOT

CARD = (ROOT / "MODEL_CARD.md").read_text()
RESULTS = "".join(path.read_text() for path in sorted((ROOT / "docs" / "results").glob("*.md")))


def test_the_readme_leads_to_it():
    assert "](MODEL_CARD.md)" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "said",
    [
        "The licence allows non-commercial research only",
        "nobody's sex or gender",
        "The graph is an assumption",
        "not identified from data",
        "## For what it is not",
        "## Known failures",
        "## How a run should be documented",
    ],
)
def test_it_says_what_must_be_said(said):
    assert said in CARD


def test_its_figures_were_measured():
    section = CARD.partition("## Known failures")[2].partition("\n## ")[0]
    figures = re.findall(r"(?<![\d.])[-+]?0\.\d{2,3}\b", section)
    assert len(figures) >= 15
    results = set(re.findall(r"(?<![\d.])[-+]?0\.\d{2,3}\b", RESULTS))
    assert [one for one in figures if one not in results] == []
