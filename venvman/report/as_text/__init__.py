"""Results as drawings for people."""
