"""Tests of `messaging.reply_window`."""
