"""The console as it is run: its data made beforehand, its processes, and what they use."""
