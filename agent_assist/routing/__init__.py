"""Who should take a call, and when: from what is known of caller and agents; no socket, no clock, no store."""
