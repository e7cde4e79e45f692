"""Counterfactual worlds in noise space."""
