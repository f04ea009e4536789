"""Rows of the audit log: who did what to what, from where. Services call `record`."""
