"""Sheets of images, captions, galleries and the TensorBoard writer."""
