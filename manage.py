#!/usr/bin/env python
"""Django's command line, with this project's settings."""

from weilink_site.command_line import main

if __name__ == "__main__":
    main()
