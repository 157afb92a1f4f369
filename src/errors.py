"""Errors a user can cause, each with the exit code of the command line."""


class PatronageError(Exception):
    """Base of every error that is shown as one message, never as a traceback."""

    exit_code = 1


class SettingsError(PatronageError, ValueError):
    """The settings file or the command's arguments cannot be used."""

    exit_code = 2


class DataError(PatronageError, ValueError):
    """A table breaks its contract, or holds too little to work with."""

    exit_code = 3


class ReleaseError(DataError):
    """A registered model was written by another release of patronage, or is damaged."""


class GateError(PatronageError):
    """The challenger did not pass the gate; the champion, if there is one, stays."""

    exit_code = 4


class MonitorAlarm(PatronageError):
    """Something that the monitor watches calls for somebody; each line says what."""

    exit_code = 5


class LockError(PatronageError):
    """Another run holds the lock on the output folder."""

    exit_code = 6
