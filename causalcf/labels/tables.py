"""Observed label tables, checked and put in the order of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..errors import DataError, unknown
from ..graph import CausalGraph
from .cells import as_tensor


def label_rows(graph: CausalGraph, table: Any) -> torch.Tensor:
    """The graph's columns of a table of labels.

    Args:
        graph: says which columns, and in which order.
        table: {name: 0/1 array of n values}, a pandas DataFrame, or an (n, d) array or tensor whose columns are
            `graph.nodes`. Columns that are not in the graph are ignored.

    Returns:
        (n, d) int8 tensor on the CPU.

    Raises:
        DataError: no rows, a missing column, columns of different lengths, or a value that is neither 0 nor 1
            (missing values and -1 among them); names the column.

    Example:
        >>> label_rows(CausalGraph({"Young": []}), {"Young": [1, 0], "Male": [1, 1]}).tolist()
        [[1], [0]]
    """
    if isinstance(table, Mapping) or hasattr(table, "columns"):
        columns = {str(name): table[name] for name in (table.columns if hasattr(table, "columns") else table)}
    else:
        columns = _matrix_columns(graph, table)
    checked = []
    for node in graph.nodes:
        if node not in columns:
            raise DataError(f"the table lacks a column of graph {graph.name!r}: {unknown('column', node, columns)}")
        checked.append(_binary_column(node, columns[node]))
    lengths = {node: len(column) for node, column in zip(graph.nodes, checked, strict=True)}
    first = graph.nodes[0]
    for node, length in lengths.items():
        if length != lengths[first]:
            raise DataError(f"column {node!r} has {length} rows, column {first!r} has {lengths[first]}")
    if lengths[first] == 0:
        raise DataError(f"the table has no rows; columns {', '.join(graph.nodes)}")
    return torch.stack(checked, 1)


def _matrix_columns(graph: CausalGraph, table: Any) -> dict[str, Any]:
    try:
        matrix = as_tensor(table)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"the table is no mapping, DataFrame or array of numbers: {error}") from error
    d = len(graph.nodes)
    if matrix.ndim != 2 or matrix.shape[1] != d:
        raise DataError(
            f"an array of shape {tuple(matrix.shape)} is no table of graph {graph.name!r}: "
            f"expected (n, {d}), the columns {', '.join(graph.nodes)}"
        )
    return dict(zip(graph.nodes, matrix.unbind(1), strict=True))


def _binary_column(node: str, values: Any) -> torch.Tensor:
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    try:
        column = as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"column {node!r} is no array of numbers: {error}") from error
    if column.ndim != 1:
        raise DataError(f"column {node!r} has shape {tuple(column.shape)}: expected one value a row")
    wrong = (column != 0) & (column != 1)
    if bool(wrong.any()):
        row = int(wrong.int().argmax())
        hint = "; CelebA's own -1 stands for 0, convert it first" if column[row] == -1 else ""
        raise DataError(f"column {node!r}, row {row}: {column[row].item()!r} is neither 0 nor 1{hint}")
    return column.to(torch.int8)
