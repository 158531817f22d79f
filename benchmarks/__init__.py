"""Measurements against the peers. Timings are whole processes, taken alternately in one run."""
