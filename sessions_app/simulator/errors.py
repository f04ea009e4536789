"""Errors of the control interface. Caught in one place, `control.api`.

    SimulatorError
    ├── UnknownThingError    no such bot, login, account …        404
    ├── NotNowError          it exists, but not in this state     409
    └── BadValueError        the value itself is wrong            422

Errors in answers on the *wire* (such as `ret -2`) are values, not exceptions.
"""

from __future__ import annotations


class SimulatorError(Exception):
    """Base class. `status` is the HTTP status of the control interface."""

    status = 400


class UnknownThingError(SimulatorError):
    status = 404


class NotNowError(SimulatorError):
    status = 409


class BadValueError(SimulatorError):
    status = 422
