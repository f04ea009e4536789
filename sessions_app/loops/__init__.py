"""The one kind of loop that the worker's jobs run in."""
