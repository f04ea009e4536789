"""What is kept and how it goes: deletes what is too old, forgets people, exports what is kept."""
