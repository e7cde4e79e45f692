"""Pages, written once: of the shipped run, of runs without labels or encoder, a hostile one, and CausalBEGAN's."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.report_toys import HOSTILE
from helpers.shared import made_once

HOSTILE = HOSTILE.replace("\x1b", "").replace("\u202e", "")  # a graph has printable names alone
NAMES = (
    HOSTILE,
    "</script><script>alert(1)</script>",
    "<!--",
    "B" * 80,
    "Ünï_cödé",
    "constructor",
    "__proto__",
    "H",
    "I",
)


def hostile_run(run):
    """A run on a graph with hostile names; a label follows a coupling that is no threshold."""
    import torch

    from causalcf.graph import CausalGraph
    from causalcf.labels import LabelSCM
    from causalcf.labels.mechanisms import ResponseMechanism, TableMechanism

    parents = {NAMES[0]: [], NAMES[1]: [], **{name: list(NAMES[:2]) for name in NAMES[2:]}}
    graph = CausalGraph(parents)
    draw = torch.Generator().manual_seed(3)
    bits = torch.randint(0, 2, (4, 64), generator=draw, dtype=torch.uint8)
    tables = {name: TableMechanism(torch.rand((2,) * len(above), generator=draw)) for name, above in parents.items()}
    scm = LabelSCM(graph, {**tables, NAMES[2]: ResponseMechanism(bits)})
    return replace(run, folder=Path(HOSTILE.replace("/", "|")), graph=graph, labels=scm)


def began_run(run):
    """A run with CausalBEGAN's generator, untrained."""
    import torch

    from causalcf.networks.began import BeganGenerator, initialise_xavier

    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = BeganGenerator(run.recipe.noise_dim, len(run.graph.nodes), 6).eval()
        initialise_xavier(generator)
    return replace(run, generator=generator)


@pytest.fixture(scope="session")
def page_runs(runs):
    from causalcf.runs.loading import load_run

    found = {
        name: load_run(next((runs / folder).glob("20*")), "cpu") for name, folder in (("plain", "a"), ("dcgan", "b"))
    }
    return {
        **found,
        "faces": load_run("pretrained:faces", "cpu"),
        "hostile": hostile_run(found["plain"]),
        "began": began_run(found["plain"]),
    }


@pytest.fixture(scope="session")
def pages(page_runs, tmp_path_factory):
    from causalcf.page import write_page

    with made_once(tmp_path_factory, "pages") as (folder, empty):
        if empty:
            for name, run in page_runs.items():
                write_page(run, folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in page_runs}


@pytest.fixture(scope="session")
def chromium():
    from helpers.live_page import browser

    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def faces(chromium, pages):
    """The page of the shipped run, open; for what leaves it as it is."""
    from helpers.live_page import opened

    with opened(chromium, pages["faces"]) as (page, _):
        yield page
