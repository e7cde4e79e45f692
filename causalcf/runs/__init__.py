"""Trained runs on disk and in memory: recipe, directory, checkpoint, and the questions a run answers."""
