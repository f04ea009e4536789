"""Where the migration 0004 finds `new_key`; the models are in `sessions_app.models.links`."""

from sessions_app.models.links import new_key

__all__ = ["new_key"]
