"""Bridges from the label model to other tools: BIF files, pgmpy, dowhy and Pyro.
A node with k binary parents has at most 2^k thresholds, so that its noise falls into at most 2^k + 1 intervals. With
the interval as a discrete variable, the label is a table of it and the parents, and any exact tool answers
counterfactuals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from torch import Tensor

from ..checks import check, check_path, is_share
from ..errors import CausalCFError, GraphError
from ..graph.bif import Variable, bif_text, parse_bif
from ..graph.graph import CausalGraph
from ..io.files import write_atomically
from ..io.untrusted import read_bounded
from .evidence import assignment, configurations, units
from .interventions import split
from .mechanisms import Mechanism, response_types
from .peers import NOISE, dowhy_model, pyro_model

Model = TypeVar("Model", bound="Bridges")
MAX_BIF = 2**24  # bytes
OTHER = "_cf"  # behind what is in the counterfactual world
_ONES = {"1", "true", "yes", "present", "t", "y", "on"}
_ZEROS = {"0", "false", "no", "absent", "f", "n", "off"}


MAX_PARENTS = 16  # of a label that is written as a table


def check_table(node: str, parents: int) -> None:
    if parents > MAX_PARENTS:
        most = f"at most {MAX_PARENTS} can be written as a table"
        raise GraphError(f"{node!r} has {parents} parents; {most}")


def _deterministic(answers: Tensor, sizes: Sequence[int]) -> np.ndarray:
    """Return the table (sizes..., 2) of a variable that has these values."""
    one = answers.double().numpy().reshape(tuple(sizes))
    return np.stack([1 - one, one], axis=-1)


class Bridges:
    """Base class of `LabelSCM` with its ways to and from other tools."""

    graph: CausalGraph
    mechanisms: dict[str, Mechanism]
    from_probabilities: Callable[..., Any]

    def variables(
        self, twin: bool = False, stickiness: float = 1.0, do: Mapping[str, int] | None = None
    ) -> list[Variable]:
        """Return the model as a discrete Bayesian network, its variables in causal order.

        Args:
            twin: also the counterfactual world. Each label X then has its noise `U_X`, and `X_cf` in the other world.
            stickiness: probability that a noise is kept in the counterfactual world, in [0, 1].
            do: interventions, in the counterfactual world if there is one. An observation is evidence on `X_cf`.

        Raises:
            CausalCFError: an unknown attribute, or a value other than 0 and 1.
            GraphError: a label is called like one of the new variables.
        """
        check(is_share(stickiness), "stickiness", stickiness, "a number in [0, 1]")
        do, policies = split(self.graph, do)
        if policies:
            name, policy = self.graph.nodes[next(iter(policies))], next(iter(policies.values()))
            raise CausalCFError(f"do: {name}={policy} sets no value; a network is written for values, 0 or 1")
        cut = assignment(self.graph.nodes, "do", do)
        if units(cut) != 1:
            raise CausalCFError("do: one value for each attribute, not an array")
        fixed = {self.graph.nodes[i]: int(value) for i, value in cut.items()}
        if not twin:
            return [self._plain(node, fixed.get(node)) for node in self.graph.nodes]
        self._check_free("{}" + OTHER, NOISE + "{}", NOISE + "{}" + OTHER)
        actual, other = [], []
        for node in self.graph.nodes:
            check_table(node, len(self.graph.parents(node)))
            weights, answers = response_types(self.mechanisms[node])
            m, parents, noise = len(weights), self.graph.parents(node), f"{NOISE}{node}"
            kinds, table = tuple(map(str, range(m))), _deterministic(answers, [m] + [2] * len(parents))
            actual += [
                Variable(noise, kinds, (), weights.numpy()),
                Variable(node, ("0", "1"), (noise, *parents), table),
            ]
            if node in fixed:
                other.append(_set(f"{node}{OTHER}", fixed[node]))
                continue
            if stickiness < 1:
                kept = stickiness * np.eye(m) + (1 - stickiness) * weights.numpy()
                other.append(Variable(f"{noise}{OTHER}", kinds, (noise,), kept))
                noise = f"{noise}{OTHER}"
            above = tuple(f"{parent}{OTHER}" for parent in parents)
            other.append(Variable(f"{node}{OTHER}", ("0", "1"), (noise, *above), table))
        return actual + other

    def _check_free(self, *patterns: str) -> None:
        """Check that no label is called like a variable that is made of another."""
        for node in self.graph.nodes:
            for new in (pattern.format(node) for pattern in patterns):
                if new in self.graph.nodes:
                    raise GraphError(f"the label {new!r} is called like what is made for {node!r}; rename it")

    def _plain(self, node: str, value: int | None) -> Variable:
        if value is not None:
            return _set(node, value)
        parents = self.graph.parents(node)
        check_table(node, len(parents))
        p = self.mechanisms[node].probability(configurations(len(parents)))
        return Variable(node, ("0", "1"), parents, _deterministic(p, [2] * len(parents)))

    def to_bif(
        self,
        path: str | Path,
        twin: bool = False,
        stickiness: float = 1.0,
        do: Mapping[str, int] | None = None,
    ) -> None:
        """Write the model as a BIF file, which pgmpy, pyAgrum, bnlearn and GeNIe read.

        Args:
            path: the file to write.
            twin, stickiness, do: as in `variables`.

        Raises:
            GraphError: a label's name has spaces, quotes or brackets, which BIF cannot hold.
            WriteError: the file cannot be written.

        Examples:
            >>> import tempfile
            >>> from causalcf import CausalGraph, LabelSCM
            >>> scm = LabelSCM.from_probabilities(CausalGraph({"Young": []}), {"Young": 0.75})
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     scm.to_bif(f"{folder}/young.bif")
            ...     LabelSCM.from_bif(f"{folder}/young.bif").probability({"Young": 1})
            0.75
        """
        check_path("path", path, GraphError)
        text = bif_text(self.variables(twin, stickiness, do), re.sub(r"[^\w.-]+", "_", self.graph.name))
        write_atomically(Path(path), text.encode())

    @classmethod
    def from_bif(cls: type[Model], path: str | Path) -> Model:
        """Read a label model from a BIF file of binary variables; the noise is a threshold.

        States are 0 and 1 by name: 0/1, no/yes, false/true, absent/present, in any order.

        Raises:
            GraphError: no BIF (names the line), or a variable that is not binary or whose states say not which is 1.
            CausalCFError: the file is larger than 16 MiB or no regular file.
        """
        check_path("path", path, GraphError)
        place = Path(path)
        try:
            name, variables = parse_bif(read_bounded(place, MAX_BIF).decode("utf-8-sig"))
            return cls._from_variables(variables, name or place.stem)
        except GraphError as error:
            raise GraphError(f"{place}: {error}") from None
        except UnicodeDecodeError:
            raise GraphError(f"{place}: it is not UTF-8") from None
        except OSError as error:
            raise GraphError(f"cannot read {place}: {error.strerror}") from None

    @classmethod
    def _from_variables(cls: type[Model], variables: Sequence[Variable], name: str) -> Model:
        ones = {one.name: _which_is_one(one.name, one.states) for one in variables}
        probabilities: dict[str, Any] = {}
        for one in variables:
            axes = [ones[parent] for parent in one.parents]
            table = one.table[..., ones[one.name]]
            for axis, place in enumerate(axes):
                table = np.flip(table, axis) if place == 0 else table
            probabilities[one.name] = (one.parents, table.copy()) if one.parents else float(table)
        graph = CausalGraph({one.name: list(one.parents) for one in variables}, name)
        made: Model = cls.from_probabilities(graph, probabilities)
        return made

    def to_pgmpy(self, twin: bool = False, stickiness: float = 1.0, do: Mapping[str, int] | None = None) -> Any:
        """Return the model as a `pgmpy.models.DiscreteBayesianNetwork`; states are the integers 0, 1, ...

        Evidence on `X_cf` and do on X is no counterfactual in pgmpy; evidence in the twin network is.

        Args:
            twin, stickiness, do: as in `variables`.

        Raises:
            CausalCFError: pgmpy is not installed.
        """
        _needed("pgmpy", "pgmpy")
        from pgmpy.factors.discrete import TabularCPD
        from pgmpy.models import DiscreteBayesianNetwork

        variables = self.variables(twin, stickiness, do)
        count = {one.name: len(one.states) for one in variables}
        model = DiscreteBayesianNetwork([(parent, one.name) for one in variables for parent in one.parents])
        model.add_nodes_from(list(count))
        for one in variables:
            evidence = list(one.parents) or None
            cards = [count[parent] for parent in one.parents] or None
            names = {name: list(range(count[name])) for name in (one.name, *one.parents)}
            values = one.table.reshape(-1, count[one.name]).T
            model.add_cpds(TabularCPD(one.name, count[one.name], values, evidence, cards, state_names=names))
        return model

    @classmethod
    def from_pgmpy(cls: type[Model], model: Any) -> Model:
        """Return the label model of a pgmpy network of binary variables; the noise is a threshold.

        Raises:
            GraphError: a variable that is not binary, or whose states say not which is 1.
        """
        try:
            variables = [_of_cpd(model, cpd) for cpd in model.get_cpds()]
            nodes, latent = set(map(str, model.nodes())), sorted(map(str, getattr(model, "latents", ())))
        except (AttributeError, TypeError, ValueError):
            kind = type(model).__name__
            raise GraphError(f"expected a pgmpy network of discrete variables with their tables, not {kind}") from None
        for name in sorted(nodes - {one.name for one in variables}):
            raise GraphError(f"the pgmpy network has no table of {name!r}")
        for name in latent:
            raise GraphError(f"{name!r} is latent, but every node must be a label of the data")
        return cls._from_variables(variables, "pgmpy")

    def to_dowhy(self) -> Any:
        """Return the model as a dowhy `gcm.InvertibleStructuralCausalModel`, ready to be asked.

        `gcm.counterfactual_samples` is then right for the binary labels: the noise is drawn given each row, uniform
        below or above its threshold.

        Raises:
            CausalCFError: dowhy is not installed.
        """
        _needed("dowhy", "dowhy")
        return dowhy_model(self.graph, self.mechanisms)

    def to_pyro(self, enumerable: bool = False) -> Callable[[], dict[str, Tensor]]:
        """Return the model as a Pyro model function: sites `U_X` for the noise and X for each label.

        Args:
            enumerable: the noise is a discrete site for exact enumeration, and labels can be conditioned on. Else it is
                uniform, and labels are deterministic sites, on which chirho's `do` and its counterfactuals work.

        Raises:
            CausalCFError: pyro is not installed.
        """
        _needed("pyro", "pyro")
        self._check_free(NOISE + "{}")
        for node in self.graph.nodes:
            check_table(node, len(self.graph.parents(node)))
        return pyro_model(self.graph, self.mechanisms, enumerable)


def _of_cpd(model: Any, cpd: Any) -> Variable:
    """Return pgmpy's table of one variable."""
    name, *parents = cpd.variables
    for parent in parents:
        if model.get_cpds(parent) is None:
            raise GraphError(f"the pgmpy network has no table of {parent!r}")
        if list(cpd.state_names[parent]) != list(model.get_cpds(parent).state_names[parent]):
            raise GraphError(f"the table of {name!r} has the states of {parent!r} in another order than its own")
    table = np.moveaxis(np.asarray(cpd.values, dtype=float), 0, -1)
    if not np.allclose(table.sum(-1), 1, atol=1e-6) or (table < 0).any():
        raise GraphError(f"the table of {name!r} holds no probabilities with the sum 1")
    return Variable(str(name), tuple(map(str, cpd.state_names[name])), tuple(map(str, parents)), table)


def _set(name: str, value: int) -> Variable:
    return Variable(name, ("0", "1"), (), np.array([1.0 - value, float(value)]))


def _which_is_one(name: str, states: Sequence[str]) -> int:
    if len(states) != 2:
        raise GraphError(f"{name!r} has the {len(states)} states {', '.join(states)}; labels are binary")
    meant = [1 if state.lower() in _ONES else 0 if state.lower() in _ZEROS else None for state in states]
    if sorted(map(str, meant)) != ["0", "1"]:
        raise GraphError(f"{name!r} has the states {', '.join(states)}; which is 1? Call them 0 and 1, or no and yes")
    return meant.index(1)


def _needed(module: str, extra: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise CausalCFError(f"this takes the package {module}: pip install 'causalcf[{extra}]'")
