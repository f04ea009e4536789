"""Tests of `messaging.conversations`."""
