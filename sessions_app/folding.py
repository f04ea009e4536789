"""Where a migration of `messaging` finds `fold`, which is in `sessions_app.text.folding`."""

from sessions_app.text.folding import fold

__all__ = ["fold"]
