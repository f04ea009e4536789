"""Drafts of replies and notes, and the files attached to them."""
