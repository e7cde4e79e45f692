"""Rates, intervals, multiple testing and misclassification: statistics without a model."""
