"""`python -m causalcf.draw GRAPH`: a causal graph as a picture, or as Mermaid text."""

from __future__ import annotations

import sys

from .command import run
from .errors import GraphError
from .flags import Flags
from .graph_io import load_graph
from .inert import escaped


def main(arguments: list[str] | None = None) -> None:
    """Parse the arguments, load the graph, draw it."""
    parser = Flags(refuse=GraphError, prog="python -m causalcf.draw", description="Draw a causal graph.")
    parser.add_argument("graph", help="a YAML file, or the name of a preset such as celeba")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--out", default="graph.png", metavar="FILE.png", help="the picture to write (graph.png)")
    form.add_argument("--mermaid", action="store_true", help="print the graph as Mermaid text instead")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)

    graph = load_graph(options.graph)
    from .drawing import draw_graph, to_mermaid  # after the graph is known to be sound

    if options.mermaid:
        print(to_mermaid(graph), end="")
    else:
        draw_graph(graph, options.out)
        print(escaped(f"wrote {options.out}"))


if __name__ == "__main__":
    sys.exit(run(main))
