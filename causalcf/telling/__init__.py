"""Telling a GAN counterfactual statements while it trains: whom to ask, and what to hold the answers against."""
