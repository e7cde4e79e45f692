"""Measures of how well generated images answer."""
