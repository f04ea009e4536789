"""Benchmarks: `make bench`. Each measures what its line says, on loopback, and names its goal."""
