"""Telephone bytes to speech."""
