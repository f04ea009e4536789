#!/usr/bin/env python
"""Django's command line, with this project's settings."""

import sys

from weilink_site.command_line import run


def main() -> None:
    run(sys.argv)


if __name__ == "__main__":
    main()
