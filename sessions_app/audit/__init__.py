"""The audit log as people see it: its page, its export, and what is recorded by signals."""
