"""The lines of the table, a module per subject. Each returns its figures."""
