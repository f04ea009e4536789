"""The worker's side of the shared session folder: follows what other programs do in it.

Not used with WEILINK_STORE=database.
"""
