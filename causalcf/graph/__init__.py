"""Causal graphs: the graph itself, its files, its layout and its drawing."""

from .files import load_graph, save_graph
from .graph import CausalGraph

__all__ = ["CausalGraph", "load_graph", "save_graph"]
