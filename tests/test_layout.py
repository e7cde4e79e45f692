"""The ladder of packages, as ARCHITECTURE.md has it: each imports only from lower rungs, and no files form a circle."""

import ast
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).resolve().parents[1] / "causalcf"
LADDER = (
    "errors",
    "checks distributed esm",
    "io networks randomness",
    "cli graph statistics",
    "draw labels",
    "language pictures worlds",
    "data losses",
    "classifiers",
    "classify runs",
    "answers constraints evaluation explore export statements webpage",
    "ask eval page training",
    "encode train",
)
RUNG = {name: number for number, names in enumerate(LADDER) for name in names.split()}


def imports():
    """(importing file, imported module) of the package, both as parts below it."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = parts[: len(parts) - node.level] + tuple((node.module or "").split(".") if node.module else ())
                for name in node.names:
                    inner = (*base, name.name)
                    yield parts, inner if (ROOT.joinpath(*inner).with_suffix(".py")).is_file() else base


def test_every_package_imports_from_lower_rungs_only():
    rungs = {path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert rungs - {"__init__"} == set(RUNG)
    upwards = {
        (importer[0], imported[0])
        for importer, imported in imports()
        if importer != ("__init__",)
        and imported
        and importer[0] != imported[0]
        and RUNG[imported[0]] >= RUNG[importer[0]]
    }
    assert upwards == set()


def test_no_files_import_each_other_in_a_circle():
    arrows = nx.DiGraph()
    for importer, imported in imports():
        if importer[-1] != "__init__" and imported and importer != imported:
            arrows.add_edge(importer, imported)
    assert [sorted(circle) for circle in nx.strongly_connected_components(arrows) if len(circle) > 1] == []
    assert arrows.number_of_edges() > 300
