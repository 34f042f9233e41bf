"""Training of our own models; needs the extra `train`."""
