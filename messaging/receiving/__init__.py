"""Receives messages: poll loops, storing answers, and sessions that may have expired."""
