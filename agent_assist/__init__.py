"""Meaning to help."""
