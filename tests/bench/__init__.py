"""Benchmarks: what is promised in figures, measured on data that a script makes."""
