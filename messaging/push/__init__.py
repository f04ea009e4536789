"""Fills the frames of the websocket: what changed, read and drawn once for all readers."""
