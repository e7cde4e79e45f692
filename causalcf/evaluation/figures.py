"""All plots of a report, as PNG files in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..inert import file_name
from .effect_plot import draw_effects
from .heat_map import draw_heat_map, scale_of
from .report_links import Group, Outcome, mapped_approaches


@dataclass(frozen=True)
class Figures:
    """The plots.

    Args:
        files: name of each file and its PNG.
        heat_maps: approach -> name of its file.
        effects: a group's anchor -> name of its file.
    """

    files: Mapping[str, bytes]
    heat_maps: Mapping[str, str]
    effects: Mapping[str, str]


def draw_figures(outcome: Outcome, groups: tuple[Group, ...]) -> Figures:
    """Heat maps of the approaches that answer for most pairs, and one effect plot for each link.

    Args:
        outcome: of an evaluation, schema 1.
        groups: its links.
    """
    files, heat_maps, effects = {}, {}, {}
    scale = scale_of(outcome)
    for number, approach in enumerate(mapped_approaches(outcome), start=1):
        heat_maps[approach] = f"heat-map-{number}-{file_name(approach)}.png"
        files[heat_maps[approach]] = draw_heat_map(outcome, approach, scale)
    for number, group in enumerate(groups, start=1):
        effects[group.anchor] = f"effect-{number:03d}-{file_name(group.cause)}-{file_name(group.effect)}.png"
        files[effects[group.anchor]] = draw_effects(group, outcome["settings"]["margin"])
    return Figures(files, heat_maps, effects)
