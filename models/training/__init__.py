"""Training of the models that the project makes itself; nothing here runs in a call."""
