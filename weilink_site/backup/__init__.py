"""All that an installation holds but its keys, in one file: `manage.py backup`, `restore`."""
