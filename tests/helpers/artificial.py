"""Approaches whose answers are known, because they render faces instead of generating them."""

from dataclasses import dataclass

import torch

from causalcf.data.faces import LABELS, Units, counterfactual, render, sample_units, true_scm
from causalcf.evaluation.approaches import Drawn, in_order
from causalcf.graph.graph import CausalGraph
from causalcf.labels import fit_label_scm
from causalcf.runs.counterfactual import Worlds

NODES = true_scm().graph.nodes
D = len(NODES)


@dataclass(frozen=True)
class Rendered:
    """Actual faces drawn from the law and rendered; what becomes of their labels is the subclass's business.

    The noise of a world is that of its labels and that of its appearance, side by side.
    """

    name: str = "true"
    kind: str = "true"
    run: str = "rendered"
    nodes: tuple = NODES
    mode: str = "do"
    stickiness: float = 1.0
    description: str = ""
    has_labels: bool = True

    def actual(self, n, given, generator):
        units = sample_units(n, generator, given=given)
        noise = torch.cat([units.label_noise, units.noise.double()], 1)
        return Worlds(noise, in_order(units.labels, LABELS, NODES), units.images())

    def counterfactual(self, worlds, antecedent, generator):
        labels = self.respond(worlds, antecedent, generator)
        return Drawn(torch.arange(len(labels)), worlds.noise, labels, self.generate(worlds.noise, labels))

    def generate(self, noise, labels):
        return render(in_order(labels, NODES, LABELS), noise[:, D:].float())

    def respond(self, worlds, antecedent, generator):
        """The true counterfactual labels: the same noise, the equations of the law."""
        units = Units(in_order(worlds.labels, NODES, LABELS), worlds.noise[:, :D], worlds.noise[:, D:].float())
        return in_order(counterfactual(units, do=antecedent).labels, LABELS, NODES)


class IgnoresGraph(Rendered):
    """Sets the one label and nothing else."""

    def respond(self, worlds, antecedent, generator):
        labels = worlds.labels.clone()
        for name, value in antecedent.items():
            labels[:, NODES.index(name)] = value
        return labels


def reversed_law():
    """The law's joint distribution under the graph with every edge turned round, as far as that graph can have it."""
    graph = true_scm().graph
    turned = CausalGraph({node: [b for a, b in graph.edges if a == node] for node in graph.nodes}, "reversed")
    sampled = true_scm().sample(200_000, generator=torch.Generator().manual_seed(0))
    return fit_label_scm(turned, dict(zip(NODES, sampled.T.numpy(), strict=True)))


class ReversedGraph(Rendered):
    """Takes effects for causes: intervening on a label moves what in truth causes it."""

    scm = None

    def respond(self, worlds, antecedent, generator):
        theirs = self.law().graph.nodes
        labels = in_order(worlds.labels, NODES, theirs)
        found = self.law().counterfactual(labels, do=antecedent, generator=generator)[:, 0]
        return in_order(found, theirs, NODES)

    @classmethod
    def law(cls):
        if cls.scm is None:
            cls.scm = reversed_law()
        return cls.scm


class Confounded(Rendered):
    """Takes correlation for causation: supposing a label, it redraws all others as among people who have it."""

    def respond(self, worlds, antecedent, generator):
        return true_scm().counterfactual(worlds.labels, observe=antecedent, stickiness=0.0, generator=generator)[:, 0]


class Exact:
    """Reads labels that were written into the first pixels of an image."""

    def __init__(self, weak=()):
        self.weak = weak

    def read(self, images):
        return images[:, 0, 0, : len(NODES)].round().to(torch.int8)

    def too_weak(self, name):
        return f"{name} is read too poorly" if name in self.weak else ""


def written(base):
    """An approach whose images are rendered by nobody: its labels stand in their pixels."""

    @dataclass(frozen=True)
    class Written(base):
        def actual(self, n, given, generator):
            units = sample_units(n, generator, given=given)
            labels = in_order(units.labels, LABELS, NODES)
            noise = torch.cat([units.label_noise, units.noise.double()], 1)
            return Worlds(noise, labels, self.generate(noise, labels))

        def generate(self, noise, labels):
            return labels.float()[:, None, None].expand(-1, 3, 1, -1)

    return Written
