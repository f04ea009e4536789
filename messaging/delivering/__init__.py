"""The queue of replies; each reply is sent once."""
