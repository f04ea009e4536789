"""What exists only because of Daphne 4.2. Each module names the reason and when it can go."""
