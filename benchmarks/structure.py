"""The structure of the package: how many files, lines and imports it has, and whether any form a circle.

python benchmarks/structure.py [FOLDER]     # FOLDER: a checkout; this one if left out

A line is code, documentation (a docstring), a comment or blank. An import is a pair of files of which one imports the
other anywhere, in a function too. A circle is a set of files, or of packages, that all reach each other by imports.
"""

from __future__ import annotations

import argparse
import ast
import statistics
from collections import Counter
from pathlib import Path

import networkx as nx


def kinds_of_lines(text: str, tree: ast.Module) -> Counter[str]:
    """Count the lines of a file by kind."""
    documented: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            documented.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))

    def kind(number: int, line: str) -> str:
        if number in documented:
            return "docstrings"
        return "blank" if not line.strip() else "comments" if line.strip().startswith("#") else "code"

    return Counter(kind(number, line) for number, line in enumerate(text.splitlines(), 1))


def imported_files(file: Path, tree: ast.Module, root: Path) -> set[Path]:
    """Return the files of the package that a file imports, relatively or by the package's name."""
    found: set[Path] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not (node.level or (node.module or "").startswith(root.name)):
            continue
        base = file.parents[node.level - 1] if node.level else root.parent
        base = base.joinpath(*(node.module or "").split(".")) if node.module else base
        for name in node.names:
            for path in ((base / name.name).with_suffix(".py"), base.with_suffix(".py"), base / "__init__.py"):
                if path.is_file():
                    found.add(path)
                    break
    return found - {file}


def circles(arrows: nx.DiGraph) -> int:
    return sum(len(nodes) > 1 for nodes in nx.strongly_connected_components(arrows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    root: Path = parser.parse_args().folder.resolve() / "causalcf"
    lines: Counter[str] = Counter()
    sizes: dict[Path, int] = {}
    arrows = nx.DiGraph()
    for file in sorted(root.rglob("*.py")):
        text = file.read_text()
        tree = ast.parse(text)
        lines += kinds_of_lines(text, tree)
        sizes[file] = len(text.splitlines())
        if file != root / "__init__.py":  # it offers everything, by name and late
            arrows.add_edges_from((file, other) for other in imported_files(file, tree, root))
    packages = nx.DiGraph((a.relative_to(root).parts[0], b.relative_to(root).parts[0]) for a, b in arrows.edges)
    longest = max(sizes, key=sizes.__getitem__)
    print(f"files        {len(sizes)}, {sum(file.parent == root for file in sizes)} of them in the root")
    print(f"lines        {lines.total():,}: {', '.join(f'{n:,} {kind}' for kind, n in lines.most_common())}")
    print(f"longest      {sizes[longest]} lines, {longest.relative_to(root)}")
    print(f"median       {statistics.median(sizes.values()):g} lines")
    print(f"imports      {arrows.number_of_edges():,}")
    print(f"circles      {circles(arrows)} of files, {circles(packages)} of packages")


if __name__ == "__main__":
    main()
