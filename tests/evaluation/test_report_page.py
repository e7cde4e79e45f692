"""The page in a browser: it opens offline, on a phone and on paper, and nothing in it is ever run or fetched."""

import re

import pytest
from helpers.browser import complaints, needs_chromium, printed_pages, probe
from helpers.report_toys import HOSTILE, png, small, suite

from causalcf.evaluation.report.write import write_report

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A report on two links, the same with hostile names, and one of all pairs of five attributes."""
    five = ("Male", "Young", "Bald", "Mouth_Open", "Wearing_Lipstick")
    outcomes = {
        "small": small(),
        "hostile": small((HOSTILE, "B" * 80, "</title></style><b>")),
        "suite": suite(nodes=five, picture="faces.png"),
    }
    made = {}
    for name, outcome in outcomes.items():
        folder = tmp_path_factory.mktemp(name)
        (folder / "faces.png").write_bytes(png(1400, 300))
        write_report(folder, outcome)
        made[name] = folder / "report.html"
    return made


@pytest.mark.parametrize("name", ["small", "hostile", "suite"])
def test_a_page_opens_without_complaint_and_without_a_request(pages, name, tmp_path):
    assert complaints(pages[name], tmp_path) == []
    seen = probe(pages[name], tmp_path, 1200)
    assert seen["requests"] == [] and seen["foreign"] == 0
    assert len(seen["images"]) == pages[name].read_text().count("<img ") > 2 and min(seen["images"]) > 60


@pytest.mark.parametrize("name", ["small", "hostile", "suite"])
def test_a_phone_scrolls_tables_but_never_the_page(pages, name, tmp_path):
    seen = probe(pages[name], tmp_path, 360)
    assert seen["width"] == 360  # else the window was not as narrow as asked
    assert seen["scroll"] <= 360


def test_text_of_an_outcome_is_shown_as_text(pages, tmp_path):
    assert probe(pages["hostile"], tmp_path, 1200)["title"].startswith("<img src=x onerror=alert(1)>|`[a](http://")


def test_folded_links_are_printed(pages, tmp_path):
    page = pages["suite"]
    folded = tmp_path / "folded.html"
    folded.write_text(re.sub(r"details::details-content \{[^}]*\}", "", page.read_text()))
    assert printed_pages(page, tmp_path) > printed_pages(folded, tmp_path) + 5


def test_the_probe_sees_what_must_not_be(pages, tmp_path):
    """A request, a broken picture, a script and a page too wide: else the tests above might pass on any page."""
    bad = '<img src="http://127.0.0.1:9/x.png"><div style="width:900px">wide</div><script>missing()</script></body>'
    page = tmp_path / "bad.html"
    page.write_text(pages["small"].read_text().replace("</body>", bad))
    assert any("Content Security Policy" in line for line in complaints(page, tmp_path))
    seen = probe(page, tmp_path, 360)
    assert seen["requests"] == ["http://127.0.0.1:9/x.png"] and min(seen["images"]) == 0 and seen["scroll"] > 360
