"""Messages between two processes: a line of JSON each, over what were standard input and output."""

import json
import os
from typing import Any, BinaryIO

from autobuild_lib.storage import parse_json

MOST_BYTES = 64_000_000  # of a message


def private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return what were standard input and output of this process; what prints or reads from now on meets nothing."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    return requests, replies


def as_line(message: Any) -> bytes:
    """Return a message as it is sent."""
    return json.dumps(message, allow_nan=False).encode() + b"\n"


def send(stream: BinaryIO, message: Any) -> None:
    """Write a message."""
    stream.write(as_line(message))
    stream.flush()


def receive(line: bytes) -> dict[str, Any]:
    """Read a message; `ValueError` for anything else."""
    message = parse_json(line.decode())
    if not line.endswith(b"\n") or not isinstance(message, dict):
        raise ValueError("not a message")
    return message
