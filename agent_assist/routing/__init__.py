"""Who should take a call, and when: from what is known of caller and agents; only ``asking`` looks into the store."""
