"""From a recipe to a finished run: batches, the step, the loop, and the comparison of approaches."""
