"""Moving sessions between this database and a folder of the `weilink` SDK, once, by command.

Not the mirror: nothing here follows a folder, and the one that the console follows is refused.
"""

from .incoming import import_folder
from .outgoing import export_folder
from .report import Line, Refused, Report

__all__ = ["Line", "Refused", "Report", "export_folder", "import_folder"]
