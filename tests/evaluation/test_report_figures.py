"""The plots: every figure in its cell, what is missing hatched, marks where the numbers are."""

import io

import numpy as np
import pytest
from helpers.report_toys import FACES, HOSTILE, png, small, suite
from PIL import Image

from causalcf.evaluation.report import plots as effect_plot
from causalcf.evaluation.report import plots as heat_map
from causalcf.evaluation.report.links import cells_of, group_links, mapped_approaches
from causalcf.evaluation.report.plots import draw_figures

LARGE = suite()


@pytest.fixture
def kept(monkeypatch):
    """Figures come back as matplotlib's own, before they are files."""
    for module in (heat_map, effect_plot):
        monkeypatch.setattr(module, "to_png", lambda figure, **_: figure)


def texts(axes):
    """(column, row) -> text of a heat map."""
    return {
        tuple(map(round, text.get_position())): text.get_text() for text in axes.texts if "→" not in text.get_text()
    }


def test_every_effect_stands_in_its_cell_reference_left_approach_right(kept):
    figure = heat_map.draw_heat_map(LARGE, "dcgan-gaussian", 0.6)
    reference, approach, bar = figure.axes
    cells = cells_of(LARGE, "dcgan-gaussian")
    assert len(cells) == 72
    for axes, key in ((reference, "reference"), (approach, "effect_estimate")):
        found = texts(axes)
        for (cause, effect), link in cells.items():
            place = FACES.index(effect), FACES.index(cause)
            silent = link[key] is None or (key == "effect_estimate" and link["verdict"] in ("none", "withheld"))
            if silent:
                assert place not in found
            else:
                assert float(found[place]) == pytest.approx(link[key], abs=0.00501)
        assert not [place for place in found if place[0] == place[1]]
        assert [label.get_text() for label in axes.get_xticklabels()] == list(FACES)
    assert [label.get_text() for label in reference.get_yticklabels()] == list(FACES)
    assert [text.get_text() for text in figure.texts] == ["reference effect", "dcgan-gaussian"]
    assert bar.get_ylim() == (-0.6, 0.6)


def test_cells_without_a_verdict_are_hatched_and_wrong_ones_framed(kept):
    _, approach, _ = heat_map.draw_heat_map(LARGE, "causalgan-esm", 0.6).axes
    verdicts = [link["verdict"] for link in cells_of(LARGE, "causalgan-esm").values()]
    hatched = [patch for patch in approach.patches if patch.get_hatch()]
    framed = [patch for patch in approach.patches if not patch.get_fill()]
    assert len(hatched) == sum(verdict in ("none", "withheld") for verdict in verdicts) == 9
    assert len(framed) == sum(verdict in ("weak", "absent") for verdict in verdicts) > 10


def test_colours_are_red_above_blue_below_and_white_at_zero(kept):
    reference, _, _ = heat_map.draw_heat_map(LARGE, "causalgan-do", 0.6).axes
    found = texts(reference)
    colours = {tuple(map(round, np.add(p.get_xy(), 0.5))): p.get_facecolor() for p in reference.patches if p.get_fill()}
    for place, description in found.items():
        red, _, blue, _ = colours[place]
        assert np.sign(round(red - blue, 1)) == np.sign(float(description)) or abs(float(description)) < 0.03


def test_one_scale_serves_all_maps():
    shown = [abs(link["reference"] or 0) for link in LARGE["links"]]
    shown += [abs(link["effect_estimate"]) for link in LARGE["links"] if link["verdict"] not in ("none", "withheld")]
    assert heat_map.scale_of(LARGE) == max(shown)


def test_maps_are_drawn_only_where_most_pairs_were_asked():
    assert mapped_approaches(LARGE) == ("causalgan-do", "causalgan-esm", "dcgan-gaussian")
    assert mapped_approaches({**LARGE, "links": LARGE["links"][:36]}) == ()
    assert mapped_approaches({**LARGE, "links": LARGE["links"][:37]}) == ("causalgan-do",)
    assert mapped_approaches({**LARGE, "links": [{**link, "given": {"Male": 1}} for link in LARGE["links"]]}) == ()


def test_marks_of_an_effect_plot_are_where_the_numbers_are(kept):
    group = group_links(small())[0]
    (axes,) = effect_plot.draw_effects(group, 0.05).axes
    drawn = {(line.get_marker(), tuple(np.round(line.get_xdata(), 6))) for line in axes.lines}
    for link in group.links:
        corrected = link["corrected"]
        assert ("o", (round(link["effect_estimate"], 6),)) in drawn
        assert ("s", (round(corrected["effect_estimate"], 6),)) in drawn
        assert ("None", tuple(np.round(link["interval"], 6))) in drawn
        assert ("None", tuple(np.round(corrected["interval"], 6))) in drawn
        assert ("None", (link["reference"],) * 2) in drawn
        bands = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
        assert any(np.allclose(band, (link["reference"] - 0.05, link["reference"] + 0.05)) for band in bands)
    description = [text.get_text() for text in axes.texts]
    assert description == ["causalgan-do", "respected", "dcgan-gaussian", "absent"]


def test_nothing_of_an_effect_plot_is_cut_off(kept):
    links = small((HOSTILE, "B" * 90, "Male"))
    name = "causalgan-statements-esm (2026-11-24-faces-causalgan-2)"
    for link in links["links"]:
        if link["approach"] == links["approaches"][0]["name"]:
            link["approach"] = name
    links["approaches"][0]["name"] = name
    figure = effect_plot.draw_effects(group_links(links)[0], 0.05)
    figure.canvas.draw()
    for text in [*figure.texts, *figure.axes[0].texts]:
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height
    first, second = (text.get_window_extent() for text in figure.axes[0].texts[:2])
    assert first.x1 < second.x0


def test_plots_are_png_files_of_sensible_size_and_the_same_each_time():
    few = {**LARGE, "links": [link for link in LARGE["links"] if link["cause"] != "Male" or link["effect"] == "Bald"]}
    groups = group_links(few)[:3]
    figures = draw_figures(few, groups)
    assert set(figures.heat_maps) == {"causalgan-do", "causalgan-esm", "dcgan-gaussian"}
    assert list(figures.effects) == ["link-1", "link-2", "link-3"]
    sizes = {name: Image.open(io.BytesIO(content)).size for name, content in figures.files.items()}
    assert all(1500 < sizes[name][0] < 2200 and 800 < sizes[name][1] < 1400 for name in figures.heat_maps.values())
    assert all(600 < sizes[name][0] < 900 and 300 < sizes[name][1] < 800 for name in figures.effects.values())
    for content in figures.files.values():
        picture = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
        assert picture[0, 0] == 255 and picture.std() > 10
    assert draw_figures(few, groups).files == figures.files


def test_names_without_letters_in_the_font_are_drawn_without_a_warning():
    outcome = small(("\u4e2d\u6587", HOSTILE, "\x00\x1b"))
    assert len(draw_figures(outcome, group_links(outcome)).files) == 2


def test_the_toy_picture_is_a_picture():
    assert Image.open(io.BytesIO(png(20, 10))).size == (20, 10)
