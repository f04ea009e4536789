"""Benchmarks: what is promised in figures, measured on loopback and on data that a script makes.

`make bench` runs them. Each measures what its line says, and names its goal.
"""
