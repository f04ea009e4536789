"""Tests of `messaging.replying`."""
