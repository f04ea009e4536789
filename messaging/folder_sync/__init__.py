"""The shared session folder as the worker sees it: following it, and what other programs did there.

Nothing here is used with WEILINK_STORE=database.
"""
