"""`/metrics`: the numbers of all processes and of the database, for Prometheus."""
