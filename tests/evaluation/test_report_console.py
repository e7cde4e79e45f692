"""What the terminal shows."""

import io
import re

import pytest
from helpers.report_toys import HOSTILE, link, small, suite, with_statements
from rich.console import Console

from causalcf.evaluation.report.console import print_table


def printed(outcome, width=120, **look):
    console = Console(file=io.StringIO(), width=width, **look)
    print_table(outcome, console)
    return console.file.getvalue()


def rows(text, begin):
    """Cells of the lines that begin so."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.startswith(begin)]


def test_the_reference_comes_first_then_every_approach():
    text = printed(small())
    assert "balanced accuracy (and accuracy) Young 0.989 (0.990), Bald 0.976" in " ".join(text.split())
    assert rows(text, "reference (do)")[0][1:] == ["–", "0.042", "-0.052", "-0.052", "–", "–", "–"]
    assert rows(text, "reference (observe)")[0][1:] == ["–", "0.039", "-0.062", "-0.062", "–", "–", "–"]
    assert rows(text, "causalgan-do")[0][1:] == [
        "0.083",
        "0.042",
        "-0.041 [-0.054, -0.027]",
        "-0.052",
        "0.011",
        "+0.007",
        "respected",
    ]
    order = [
        "Judge judge-faces-residual",
        "Young → Bald (A → B)",
        "reference (do)",
        "causalgan-do  ",
        "dcgan-gaussian  ",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "[interval]" in text  # rich would take it for markup
    assert "a verdict takes 100" in text


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_is_wider_than_the_console_and_no_figure_is_broken(width):
    outcome = small()
    outcome["links"][0]["verdict"] = "exaggerated"
    text = printed(outcome, width)
    assert max(map(len, text.splitlines())) <= width
    for whole in ("[-0.054, -0.027]", "0.011", "+0.007", "exaggerated", "counter-", "reference"):
        assert whole in text


def test_approaches_asked_about_other_units_have_a_reference_each():
    outcome = small()
    outcome["approaches"][1]["mode"] = outcome["links"][1]["mode"] = "do"
    text = printed(outcome, 160)
    assert "reference (do) for causalgan-do " in text and "reference (do) for dcgan-gaussian " in text


def test_many_links_are_counted_and_those_not_respected_named_worst_first():
    outcome = suite()
    text = printed(outcome, 150)
    own = [answer for answer in outcome["links"] if answer["approach"] == "dcgan-gaussian"]
    part = text[text.index("dcgan-gaussian, 72 links") :]
    for verdict in ("respected", "weak", "absent", "none", "withheld"):
        n = sum(answer["verdict"] == verdict for answer in own)
        assert re.search(rf"^{verdict} +{n} ", part, re.MULTILINE)
    weak = sorted((a for a in own if a["verdict"] == "weak"), key=lambda a: -a["link_error"])
    joined = " ".join(part.split())
    places = [
        joined.index(f"{a['cause']}→{a['effect']} ({a['effect_estimate']:+.2f}/{a['reference']:+.2f})") for a in weak
    ]
    assert places == sorted(places) and len(places) > 10
    good = next(a for a in own if a["verdict"] == "respected")
    assert f"{good['cause']}→{good['effect']} " not in part


def test_twelve_links_are_shown_in_full_and_thirteen_are_not():
    outcome = small()
    one = outcome["approaches"][0]
    many = [link("Young", f"label{i}", one, 0.2, 0.21, "respected") for i in range(13)]
    assert "reference (do)" in printed({**outcome, "links": many[:12]})
    assert "reference (do)" not in printed({**outcome, "links": many})


def test_names_are_neither_markup_nor_terminal_escapes():
    outcome = small((HOSTILE, "[red]Bald[/red]", "Male"))
    text = printed(outcome, 160, force_terminal=True, color_system=None)
    assert "\x1b" not in text and "\u202e" not in text
    assert "[red]Bald[/red]" in text and "␛[31m" in text
    assert "[bold]" in " ".join(text.split())


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("n", [2, 13])
def test_statements_are_shown_by_statement_or_where_many_by_approach(n, width):
    names = [f"statement-{i}" for i in range(n)]
    text = printed(
        with_statements(small(), names, sentence="If this [red]man[/red] were old, he might be bald."), width
    )
    part = " ".join(text[text.index("same") :].split())
    assert max(map(len, text.splitlines())) <= width and "[0.112, 0.134]" in text
    assert all(name in text for name in names) and "[red]man[/red]" in " ".join(text.split())
    assert ("causalgan-do, 13 statements" in text) == (n == 13)
    assert part.count("0.0742") == 2 * n and "dcgan-gaussian: no verdict: 385 were not reached." in part
