"""Tests of `messaging.inbox`."""
