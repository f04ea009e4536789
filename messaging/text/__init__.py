"""Turns typed text into safe, readable markup: links, emoji, parts. No I/O."""
