"""Text that anybody may have written is shown as text: by Markdown, by terminals, in names of files."""

import unicodedata

import pytest
from helpers.report_toys import HOSTILE
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from causalcf.io.text import file_name, markdown, plain

anything = st.text() | st.text(alphabet="ab1_*`[]()<>|~$&#!:/\\.-+= \n\t\x1b", max_size=30)
TRAPS = [
    "# a",
    "- a",
    "+ a",
    "1. a",
    "12) a",
    "> a",
    "---",
    "===",
    "***",
    "~~~",
    "```",
    "<b>",
    "&lt;",
    "[a](b)",
    "![a](b)",
]
TRAPS += ["[a]: b", "_a_", "__a__", "a_b_c", "**a**", "~~a~~", "a\\", "<http://a.b>", "a|b", "[ ] a", "    a", HOSTILE]


def shown(source):
    """The text and the kinds of the parts that Markdown makes of a source."""
    parts = [
        part for token in MarkdownIt("gfm-like", {"linkify": False}).parse(source) for part in token.children or []
    ]
    return "".join(part.content for part in parts), {part.type for part in parts}


@given(anything)
def test_markdown_shows_any_text_as_it_stands(text):
    content, kinds = shown(markdown(text))
    assert kinds <= {"text"}
    assert content == plain(text)


@pytest.mark.parametrize("text", TRAPS)
def test_markdown_falls_into_no_trap(text):
    assert shown(markdown(text)) == (plain(text), {"text"})
    assert [token.type for token in MarkdownIt("gfm-like", {"linkify": False}).parse(markdown(text))] == [
        "paragraph_open",
        "inline",
        "paragraph_close",
    ]


@pytest.mark.parametrize("text", ["*a*", "[a](b)", "<b>x</b>", "`a`"])
def test_without_care_markdown_would_mean_something(text):
    assert shown(text)[1] != {"text"}


@given(anything)
def test_plain_text_is_one_line_without_control_characters(text):
    line = plain(text)
    assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert plain(line) == line
    line.encode()


def test_escapes_and_reversed_writing_are_shown_not_obeyed():
    assert plain("\x1b[31mred\x07 \u202ekcab\ud800 \x9b1m") == "␛[31mred␇ \ufffdkcab\ufffd \ufffd1m"
    assert plain("نمی\u200cخواهم") == "نمی\u200cخواهم"


@given(anything)
def test_names_of_files_hold_nothing_special(text):
    assert all(c.isascii() and (c.isalnum() or c in "_-") for c in file_name(text))
