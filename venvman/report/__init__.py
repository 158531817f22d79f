"""Results, and their two voices: text and JSON."""
