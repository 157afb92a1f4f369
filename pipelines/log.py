"""The log: readable lines on a terminal, JSON lines for unattended jobs, both on stderr."""

import logging
import sys


def set_up_log(*, as_json: bool) -> None:
    """Send patronage's log lines to stderr; other libraries only from warnings on."""
    handler = _json_handler() if as_json else _plain_handler()
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("patronage").setLevel(logging.INFO)
    logging.captureWarnings(True)


class _PlainFormatter(logging.Formatter):
    """The time and the message; an error says that it is one instead of the time."""

    def format(self, record: logging.LogRecord) -> str:
        if record.levelno >= logging.ERROR:
            return f"error: {record.getMessage()}"
        return super().format(record)


def _plain_handler() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PlainFormatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    return handler


def _json_handler() -> logging.Handler:
    from pythonjsonlogger.json import JsonFormatter

    handler = logging.StreamHandler(sys.stderr)
    fields = "%(asctime)s %(levelname)s %(name)s %(message)s"
    handler.setFormatter(JsonFormatter(fields, datefmt="%Y-%m-%dT%H:%M:%S%z"))
    return handler
