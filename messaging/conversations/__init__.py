"""Conversations and what is done with them: assign, label, snooze, resolve; who sees them."""
