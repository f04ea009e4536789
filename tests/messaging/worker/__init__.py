"""Tests of `messaging.worker.worker`."""
