"""The inbox page: its lists, threads, rows and bubbles."""
