"""Moves an installation from SQLite to PostgreSQL: `manage.py copy_database`."""
