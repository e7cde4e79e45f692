"""`python -m causalcf.draw GRAPH`: draw a causal graph as PNG or SVG, or write it as DOT or Mermaid text."""

from __future__ import annotations

import sys

from .cli.command import run
from .cli.parser import Flags
from .errors import GraphError
from .graph.files import load_graph
from .io.text import escaped


def main(arguments: list[str] | None = None) -> None:
    parser = Flags(refuse=GraphError, prog="python -m causalcf.draw", description="Draw a causal graph.")
    parser.add_argument("graph", help="a graph file, or the name of a preset such as celeba")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--out", default="graph.png", metavar="FILE", help="the .png, .svg or .dot file (graph.png)")
    form.add_argument("--mermaid", action="store_true", help="print the graph as Mermaid text instead")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)

    graph = load_graph(options.graph)
    from .graph.drawing import draw_graph, to_mermaid  # after the graph is known to be sound

    if options.mermaid:
        print(to_mermaid(graph), end="")
    else:
        draw_graph(graph, options.out)
        print(escaped(f"wrote {options.out}"))


if __name__ == "__main__":
    sys.exit(run(main))
