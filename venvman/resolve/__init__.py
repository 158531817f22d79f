"""Solving: demands in, one pin for each name out. Knows neither files nor terminals."""
