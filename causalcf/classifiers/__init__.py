"""Attribute classifiers: trained on labelled images, calibrated, scored on images that neither step saw."""
