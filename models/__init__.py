"""Speech and text to meaning."""
