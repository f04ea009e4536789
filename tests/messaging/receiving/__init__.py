"""Tests of `messaging.receiving`."""
