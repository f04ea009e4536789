"""Moves sessions between this database and a folder of the `weilink` SDK, once, by command.

This is not the mirror: it does not follow a folder, and refuses the one that the console follows.
"""

from .incoming import import_folder
from .outgoing import export_folder
from .report import Line, Refused, Report

__all__ = ["Line", "Refused", "Report", "export_folder", "import_folder"]
