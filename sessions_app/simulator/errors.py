"""What can be wrong with a call of the control interface; caught once, in `control_api`.

    SimulatorError
    ├── UnknownThingError    no such bot, login, account …        404
    ├── NotNowError          it exists, but not in this state     409
    └── BadValueError        the value itself is wrong            422

Errors that the *wire* answers (`ret -2` and the like) are values, never exceptions.
"""

from __future__ import annotations


class SimulatorError(Exception):
    """Base of all; `status` is the HTTP status of the control interface."""

    status = 400


class UnknownThingError(SimulatorError):
    status = 404


class NotNowError(SimulatorError):
    status = 409


class BadValueError(SimulatorError):
    status = 422
