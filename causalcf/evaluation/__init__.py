"""Measures of how well generated images follow a causal model."""
