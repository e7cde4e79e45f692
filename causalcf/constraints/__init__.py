"""Statement constraints: train a GAN so that its counterfactual images satisfy statements."""
