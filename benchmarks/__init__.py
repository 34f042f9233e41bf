"""One file a question; each prints its data, its n, its machine and its spread."""
