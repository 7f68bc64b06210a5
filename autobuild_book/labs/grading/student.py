"""The process that runs a student's notebook: `python -m autobuild_book.labs.grading.student FOLDER`.

What comes out of it is data, whatever code has run in it: it holds no check, and awards nothing.
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from autobuild_book.labs.grading.channel import private_streams, receive, send
from autobuild_book.labs.grading.shell import quiet_shell, run
from autobuild_book.labs.grading.transport import Decoder, Encoder
from autobuild_lib.values import shown

FILE_BYTES = 200_000_000  # that the process may write into one file


def main() -> None:
    """Run the steps of the first message, answer at each check, then call functions for whoever asks."""
    folder = Path(sys.argv[1])
    requests, replies = private_streams()
    order = receive(requests.readline())
    limit_memory(order["bytes"])
    os.chdir(folder)
    shell, encoder = quiet_shell(folder), Encoder(folder)
    for step in order["steps"]:
        if "code" in step:
            if isinstance(run(shell, step["code"], order["seconds"]), TimeoutError):
                send(replies, {"slow": True})
            continue
        names = [name for name in step["names"] if name in shell.user_ns]
        answers = {name: encoder.encode(shell.user_ns[name]) for name in names}
        send(replies, {"check": step["check"], "answers": answers})
    send(replies, {"done": True})
    while line := requests.readline():
        _answer_call(receive(line), encoder, replies)


def _answer_call(message: dict[str, Any], encoder: Encoder, replies: BinaryIO) -> None:
    arguments = Decoder(encoder.folder, lambda *_: None).decode(message["arguments"])
    try:
        send(replies, {"value": encoder.encode(encoder.functions[message["call"]](*arguments))})
    except (Exception, SystemExit) as error:  # whatever a student's code may raise
        send(replies, {"error": type(error).__name__, "text": shown(str(error))})


def limit_memory(most: int) -> None:
    """Limit what this process may take, where the system has such limits (Linux, in part macOS)."""
    if importlib.util.find_spec("resource") is not None:
        resource = importlib.import_module("resource")
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
