"""Errors a user can cause, each with the exit code of the command line."""

NO_SPACE = (
    "No space left",
    "disk is full",
    "disk I/O error",
    "File too large",
    "Could not write",
    "Error writing bytes",
)
"""What libraries say of a disk that is full, or of a file that may not grow."""


class PatronageError(Exception):
    """Base of every error that is shown as one message, never as a traceback."""

    exit_code = 1


class SettingsError(PatronageError, ValueError):
    """The settings file or the command's arguments cannot be used."""

    exit_code = 2


class SpaceError(PatronageError):
    """A file of ours cannot be written: the disk is full, or a limit is reached."""

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


def refuse_without_space(error: BaseException, folder: object) -> None:
    """Raise `SpaceError` where a library's error says that a file could not be written.

    Raises
    ------
    SpaceError
        If so; anything else is for the caller to explain.
    """
    said = str(error)
    if any(sign in said for sign in NO_SPACE):
        raise SpaceError(
            f"a file below {folder} could not be written ({said.splitlines()[0].rstrip('.')}). "
            "Free space on that disk, then run again; what stood there before is untouched."
        ) from error
