"""Structural causal models of binary labels: fitting, exact queries and counterfactuals."""

from .distance import empirical_joint, pairwise, total_variation
from .fitting import fit_label_scm
from .interventions import Conditional, Soft, Stochastic
from .mechanisms import Mechanism, NeuralMechanism, ResponseMechanism, TableMechanism
from .scm import LabelSCM

__all__ = [
    "Conditional",
    "LabelSCM",
    "Mechanism",
    "NeuralMechanism",
    "ResponseMechanism",
    "Soft",
    "Stochastic",
    "TableMechanism",
    "empirical_joint",
    "fit_label_scm",
    "pairwise",
    "total_variation",
]
