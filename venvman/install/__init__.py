"""Plan to outcome: artifacts fetched and verified, staged, committed or rolled back."""
