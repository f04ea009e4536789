"""Sending, parking and retrying replies, decisions about them, notes, and the rules for replies."""
