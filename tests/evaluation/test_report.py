"""A report holds all that was found, as text only, whatever was found."""

import html
import json
import re

import pytest
from helpers.report_toys import HOSTILE, png, small, suite, with_statements, without_units
from markdown_it import MarkdownIt

from causalcf.errors import CausalCFError
from causalcf.evaluation.report.write import write_report


def written(folder, outcome, picture="faces.png"):
    """The files of a report."""
    (folder / picture).write_bytes(png())
    write_report(folder, outcome)
    return (folder / "report.html").read_text(), (folder / "report.md").read_text()


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """72 links, 3 approaches."""
    folder = tmp_path_factory.mktemp("large")
    outcome = suite(picture="faces.png")
    return outcome, *written(folder, outcome), folder


def tables(markdown):
    """The tables of a Markdown text, as lists of rows of cells."""
    found = []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(markdown):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level > 3:
            found[-1][-1].append("".join(part.content for part in token.children))
    return found


def visible(page):
    """The text of a page."""
    return html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)))


def figures_of(found):
    """All fractions of a nested outcome."""
    if isinstance(found, dict):
        return [x for value in found.values() for x in figures_of(value)]
    if isinstance(found, list):
        return [x for value in found for x in figures_of(value)]
    return [found] if isinstance(found, float) else []


def test_the_json_is_the_outcome(tmp_path):
    outcome = small()
    written(tmp_path, outcome)
    assert json.loads((tmp_path / "report.json").read_text()) == outcome


def test_every_figure_of_a_link_is_on_the_page_and_in_markdown(tmp_path):
    outcome = small()
    page, markdown = written(tmp_path, outcome)
    for link in outcome["links"]:
        description = {key: value for key, value in link.items() if key not in ("stickiness", "p_value", "p_holm")}
        for figure in figures_of(description):
            assert f"{abs(figure):.3f}" in visible(page) and f"{abs(figure):.3f}" in markdown
        assert (link["sentence"] or link["why"]) in visible(page)


def test_figures_of_a_link_stand_beside_their_names(tmp_path):
    rows = {row[0]: row[1:] for row in tables(written(tmp_path, small())[1])[1]}
    assert rows == {
        "": ["causalgan-do", "dcgan-gaussian"],
        "verdict": ["respected", "absent"],
        "P(Bald | factual)": ["0.083 [0.072, 0.094]"] * 2,
        "P(Bald | counterfactual)": ["0.042 [0.031, 0.053]", "0.077 [0.066, 0.088]"],
        "the same, reference": ["0.042", "0.039"],
        "effect": ["-0.041 [-0.054, -0.027]", "-0.006 [-0.019, +0.008]"],
        "interval by": ["BCa bootstrap", "BCa bootstrap"],
        "reference effect": ["-0.052", "-0.062"],
        "link error": ["0.011 [0.000, 0.024]", "0.056 [0.044, 0.069]"],
        "leak": ["+0.007 [-0.003, +0.017]", "–"],
        "half width": ["0.014", "0.014"],
        "p, no effect": ["0.0012", "0.0012"],
        "p (Holm)": ["0.025", "0.025"],
        "judge-corrected effect": ["-0.045 [-0.060, -0.030]", "-0.007 [-0.021, +0.009]"],
        "judge-corrected verdict": ["respected", "absent"],
        "units": ["1,068", "1,068"],
        "mode": ["do", "observe"],
        "stickiness": ["1", "1"],
        "in the graph": ["cause is a parent", "cause is a parent"],
    }


def test_statements_stand_beside_the_label_model(tmp_path):
    page, markdown = written(tmp_path, with_statements(small()))
    for text in (visible(page), markdown):
        for part in (
            "If this young man were old, he might be bald.",
            "Asks for a probability above 0.05. By the label model, do at stickiness 1, it is true: 0.0951 is so.",
            "dcgan-gaussian: no verdict: 385 were not reached.",
        ):
            assert part in text
    counted, answers = (table for table in tables(markdown) if {"as in the label model", "same faces"} & set(table[0]))
    assert answers[1:] == [
        ["causalgan-do", "0.123 [0.112, 0.134]", "0.012", "0.0742", "0.0863", "true", "true"],
        ["dcgan-gaussian", "–", "–", "0.0742", "–", "–", "no verdict"],
    ]
    assert counted[1:] == [
        ["causalgan-do", "1", "0", "0", "0", "1", "1"],
        ["dcgan-gaussian", "0", "0", "0", "1", "0", "1"],
    ]
    assert 'href="#statements"' in page and 'id="statements"' in page
    page, markdown = written(tmp_path, small())  # as written before there were any
    assert "Statements" not in page + markdown


def test_statements_alone_make_a_report(tmp_path):
    page, markdown = written(tmp_path, with_statements({**small(), "links": []}))
    for text in (visible(page), markdown):
        assert "Statements whose verdict is the label model's: causalgan-do: 1 of 1, dcgan-gaussian: 0 of 1." in text
        assert "Links" not in text and "Verdicts" not in text
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))


def test_a_report_without_links_and_statements_says_what_it_has(tmp_path):
    outcome = {**small(), "links": [], "axioms": {}, "photographs": {"run": {"encoder": {"photographs": 4}}}}
    written(tmp_path, outcome)
    text = "No link and no statement was asked. The report has: photographs"
    assert text in (tmp_path / "report.md").read_text() and "of 0 verdicts" not in (tmp_path / "report.md").read_text()


def test_the_judge_is_told_before_the_verdicts(large):
    _, page, markdown, _ = large
    for text in (visible(page), markdown):
        judge, graph = (
            text.index("Male 0.989 (0.990), Young 0.976 (0.977), Bald 0.963 (0.964)"),
            text.index("total variation distance 0.152"),
        )
        assert "Mouth_Open is read worst, [0.881, 0.889]" in text
        assert judge < graph < text.index("Verdicts, counted" if text is not markdown else "## Verdicts")
    assert page.index('href="#judge"') < page.index('id="verdicts"')


def test_a_suite_is_told_in_full(large):
    outcome, page, markdown, _ = large
    description = {key: outcome[key] for key in ("judge", "axioms")}
    for figure in figures_of(description):
        assert f"{figure:.3f}" in visible(page) or f"{figure:.4f}" in visible(page)
    for text in (visible(page), markdown):
        for part in (
            "12.34",
            "0.0123 [0.0113, 0.0133]",
            "0.1523",
            "0.288",
            "Young->Male",
            "nobody was reached",
            "0123abc",
        ):
            assert part in text
    flat = max(tables(markdown), key=len)
    assert len(flat) == 1 + 216
    for link, row in zip(
        sorted(outcome["links"], key=lambda a: (a["cause"], a["effect"], a["approach"])), sorted(flat[1:]), strict=True
    ):
        assert (
            row[0] == f"{link['cause']} → {link['effect']}" and row[1] == link["approach"] and row[8] == link["verdict"]
        )


def test_what_was_not_answered_stands_beside_what_was(large):
    outcome, page, markdown, _ = large
    rows = {row[0]: row[1] for table in tables(markdown) for row in table if table[0][0] == "measure"}
    description = {name: cell.rpartition(", ")[2] for name, cell in rows.items() if cell.endswith(" answered")}
    flips = "3,453 of 3,465 answered"
    assert description == {
        "effectiveness, all": flips,
        "effectiveness, flipped": "3,465 of 3,465 answered",  # always told: approaches are compared by it
        **{f"effectiveness, labels, {name}": flips for name in outcome["nodes"]},
        "reversibility, pixels": "199 of 207 answered",
        "reversibility, labels": "199 of 207 answered",
        "minimality, pixels": flips,
    }
    assert rows["minimality, pixels"] == f"–, {flips}" and rows["composition, pixels"] == "0.0000 [0.0000, 0.0000]"
    assert all(cell in visible(page) for cell in rows.values())


@pytest.mark.parametrize(("verdict", "same"), [("false", "1"), ("true", "0")])
def test_agreement_is_with_what_the_label_model_says_of_the_same_faces(tmp_path, verdict, same):
    """Over everybody the model has it true, of the faces asked false: images that say so are as in the label model."""
    outcome = with_statements(small())
    outcome["statements"][0] |= {"q_expected": 0.0312, "expected": False, "verdict": verdict}
    _, markdown = written(tmp_path, outcome)
    counted, answers = (table for table in tables(markdown) if {"as in the label model", "same faces"} & set(table[0]))
    assert counted[1][-2:] == [same, "1"] and answers[1][-3:] == ["0.0312", "false", verdict]


def test_many_links_are_folded_and_can_be_reached(large):
    _, page, _, _ = large
    assert page.count("<details>") == 2 + 72  # the matrix, the meanings, and every link
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert {f"link-{i}" for i in range(1, 73)} <= targets <= set(re.findall(r'id="([^"]+)"', page))


def test_pictures_are_where_given_and_plots_are_everywhere(large):
    _, page, markdown, folder = large
    assert page.count("<img ") == 3 + 72 + 3 + 1  # maps, effects, faces of one link for each approach, a question's
    assert len(list(folder.glob("effect-*.png"))) == 72 and len(list(folder.glob("heat-map-*.png"))) == 3
    for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", markdown):
        assert (folder / name).is_file()


@pytest.mark.parametrize("names", [("Young", "Bald", "Male"), (HOSTILE, "a|b", "</style><script>x</script>")])
def test_a_page_asks_for_nothing_and_runs_nothing(names, tmp_path):
    outcome = with_statements(small(names), names[:2], sentence=names[0])
    page, markdown = written(tmp_path, outcome)
    tags = re.findall(r"<[a-zA-Z][^>]*>", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    for tag in tags:
        assert not re.search(r"\s(src|href|action|data)\s*=\s*\"(?!data:|#)", tag), tag
        assert not re.match(r"<(script|iframe|object|embed|form|base|b)\b", tag), tag
        assert not re.search(r"\son\w+\s*=(?=\s*[\"'])", re.sub(r'"[^"]*"', "", tag)), tag
    assert "url(" not in page and "@import" not in page
    assert all(len(row) == len(table[0]) for table in tables(markdown) for row in table)
    rendered = MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
    assert not re.search(r"<(a|b|script|em|del)\b|<img src=\"?x", rendered)


def test_hostile_names_are_readable_text(tmp_path):
    page, markdown = written(tmp_path, small((HOSTILE, "Bald", "Male")))
    shown = "<img src=x onerror=alert(1)>|`[a](http://evil.example)`␛[31m\ufffd[bold]$x^2$_"
    assert f"{shown} → Bald" in html.unescape(page) and "\x1b" not in page + markdown
    assert any(row[0] == f"{shown} → Bald" for row in tables(markdown)[0])


def test_columns_of_markdown_tables_match_their_heads(large):
    _, _, markdown, _ = large
    found = tables(markdown)
    assert len(found) > 10
    for line in markdown.splitlines():
        assert not line.startswith("|") or line.endswith("|")
    blocks = re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE)
    assert len(blocks) == len(found)
    for block in blocks:
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(counts) == 1


def test_a_page_can_be_read_aloud_on_a_phone(large):
    _, page, _, _ = large
    assert '<html lang="en">' in page and 'name="viewport"' in page
    assert all(' alt="' in tag and 'alt=""' not in tag for tag in re.findall(r"<img [^>]*>", page))
    assert all("scope=" in tag for tag in re.findall(r"<th\b[^>]*>", page))


def test_nothing_but_nulls_still_makes_a_report(tmp_path):
    outcome = small()
    outcome["links"] = [without_units(link) for link in outcome["links"]]
    for scores in outcome["judge"]["attributes"].values():
        scores["balanced_accuracy"] = {"value": None, "low": None, "high": None}
        scores["auroc"] = None
    page, markdown = written(tmp_path, outcome)
    for text in (visible(page), markdown):
        assert not re.search(r"\b(None|nan)\b", text)
        assert "12 units of 1068 asked; a verdict takes 100" in text


def test_one_link_is_summed_up_in_its_own_sentence(tmp_path):
    outcome = small()
    page, _ = written(tmp_path, {**outcome, "links": outcome["links"][:2]})
    assert "Young → Bald: causalgan-do: respected, effect -0.041 against -0.052; dcgan-gaussian: absent" in visible(
        page
    )


def test_a_judge_that_is_not_independent_says_so(tmp_path):
    outcome = small()
    outcome["judge"] |= {"independent": False, "warnings": ["the judge and a run's classifier may err alike"]}
    page, markdown = written(tmp_path, outcome)
    for text in (visible(page), markdown):
        assert "NOT independent" in text and "may err alike" in text


def test_conditions_make_another_link(tmp_path):
    outcome = small()
    links = [
        {**outcome["links"][0], "given": given, "held": held} for given, held in (({}, {}), ({"Male": 1}, {"Bald": 0}))
    ]
    page, _ = written(tmp_path, {**outcome, "links": links})
    assert "Young → Bald, given Male = 1, Bald = 0 held" in visible(page) and page.count("<h3 id=") == 2


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "sub/../../secret.png", "link.png", "x\0.png", None])
def test_pictures_outside_the_folder_are_refused(name, tmp_path):
    folder = tmp_path / "report"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(png())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    outcome = small()
    (folder / "faces.png").write_bytes(png())
    outcome["links"][0]["picture"] = name or str(folder / "faces.png")  # inside, but only on this machine
    with pytest.raises(CausalCFError, match=r"Young->Bald by causalgan-do\b.*/report\b"):
        write_report(folder, outcome)
    assert not list(folder.glob("report.*"))


def test_a_missing_picture_is_named_with_the_nearest_there_is(tmp_path):
    outcome = small()
    outcome["links"][0]["picture"] = "face.png"
    with pytest.raises(CausalCFError, match=r"'face\.png'.*Young->Bald\b.*'faces\.png'"):
        written(tmp_path, outcome)


def test_a_file_that_is_no_picture_is_refused(tmp_path):
    (tmp_path / "faces.png").write_text("<svg onload=alert(1)>")
    with pytest.raises(CausalCFError, match=r"'faces\.png'.*Young->Bald\b.*\bPNG\b"):
        write_report(tmp_path, small())


def test_nan_is_refused_before_anything_is_written(tmp_path):
    outcome = small()
    outcome["links"][0]["leak"] = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        written(tmp_path, outcome)
    assert [file.name for file in tmp_path.iterdir()] == ["faces.png"]


def test_the_same_outcome_makes_the_same_files(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        written(folder, small())
    names = sorted(file.name for file in first.iterdir())
    assert names == sorted(file.name for file in second.iterdir()) and len(names) == 6
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)
