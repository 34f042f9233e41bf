"""Kafka, processes and the command line."""
