"""Tests of `messaging.delivering`."""
