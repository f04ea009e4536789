"""The queue of replies and how each is sent once."""
