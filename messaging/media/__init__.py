"""Files as such: what they are, how they are stored, shown and served, and their limits.

The helper process imports this package, so this module must not import Django.
"""
