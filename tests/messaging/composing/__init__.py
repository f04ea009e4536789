"""Tests of `messaging.composing`."""
