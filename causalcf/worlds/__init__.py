"""Counterfactual worlds on noise."""
