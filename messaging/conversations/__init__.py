"""Conversations: who may see them, and actions such as assign, label, snooze and resolve."""
