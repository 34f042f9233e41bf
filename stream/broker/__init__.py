"""A small single-node Kafka-protocol broker for one machine, journalled on disk."""
