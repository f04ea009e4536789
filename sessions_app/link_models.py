"""`new_key` for the migration 0004. It is defined in `sessions_app.models.links`."""

from sessions_app.models.links import new_key

__all__ = ["new_key"]
