"""`fold` for a migration of `messaging`. It is defined in `sessions_app.text.folding`."""

from sessions_app.text.folding import fold

__all__ = ["fold"]
