"""The process that checks the answers of one notebook: `python -m autobuild_book.labs.grading.judge`.

It runs the lab's own cells, with the answers of a student in the place of theirs. Their code runs in another process.
"""

import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from autobuild_book.labs.grading import channel
from autobuild_book.labs.grading.restoring import Cell
from autobuild_book.labs.grading.shell import quiet_shell, run
from autobuild_book.labs.grading.transport import Decoder, Encoder
from autobuild_book.labs.notebooks import Undefined
from autobuild_book.labs.verdicts import AnswerError, Right

# All that a student's process gets of the environment: what Python needs to start.
ENVIRONMENT = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT", "OPENBLAS_CORETYPE")


@dataclass(frozen=True)
class Limits:
    """Of one notebook: seconds for a cell, seconds for all, bytes of memory."""

    cell: float = 120.0
    notebook: float = 600.0
    memory: int = 4 << 30


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer. points: awarded."""

    check: str
    points: float
    hint: str


class StudentProcess:
    """A student's process, as the judge sees it: something that sends data, or nothing, or nonsense.

    ended: why it stopped before the end of the notebook; empty when it did not. slow: cells that ran for too long.
    """

    def __init__(self, steps: Sequence[Mapping[str, Any]], folder: Path, limits: Limits, under: Sequence[str]) -> None:
        self.folder = folder
        self.deadline = time.monotonic() + limits.notebook
        self.ended, self.slow = "", 0
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        environment |= {"HOME": str(folder), "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
        command = [*under, sys.executable, "-m", "autobuild_book.labs.grading.student", str(folder)]
        self.process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        self.lines: queue.Queue[bytes] = queue.Queue(maxsize=100)
        threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True).start()
        self._send({"steps": list(steps), "seconds": limits.cell, "bytes": limits.memory})

    def _listen(self, stream: BinaryIO) -> None:
        while line := stream.readline(channel.MOST_BYTES):
            self.lines.put(line)
        self.lines.put(b"")

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            channel.send(self.process.stdin, message)  # type: ignore[arg-type]
        except OSError:  # it has ended; the next message says so
            return

    def _next(self) -> dict[str, Any]:
        """Return the next message; an empty one from a process that has ended, or that ends here."""
        try:
            line = self.lines.get(timeout=max(0.0, self.deadline - time.monotonic()))
            if line:
                return channel.receive(line)
            self.ended = self.ended or "its process ended (memory, or sys.exit)"
        except queue.Empty:
            self.ended = "it ran for too long"
        except ValueError:
            self.ended = "its process sent what is no answer"
        self.process.kill()
        return {}

    def answers(self) -> dict[str, dict[str, Any]]:
        """Wait for the end of the notebook; return for each check the answers by name, as JSON."""
        answers: dict[str, dict[str, Any]] = {}
        while (message := self._next()) and "done" not in message:
            self.slow += "slow" in message
            if isinstance(message.get("check"), str) and isinstance(message.get("answers"), dict):
                answers[message["check"]] = message["answers"]
        return answers

    def call(self, function: int, arguments: tuple[Any, ...]) -> Any:
        """Call a function of the student; errors of theirs are raised here by name."""
        if self.ended:
            raise TimeoutError(self.ended)
        self._send({"call": function, "arguments": Encoder(self.folder).encode(list(arguments))})
        message = self._next()
        if "value" not in message:
            name = str(message.get("error", "TimeoutError"))
            kind = type(name if name.isidentifier() else "Error", (Exception,), {})
            raise kind(str(message.get("text", self.ended))[:500])
        return message["value"]

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def judge(
    cells: Sequence[Cell], steps: Sequence[Mapping[str, Any]], limits: Limits, under: Sequence[str] = ()
) -> tuple[list[Verdict], str]:
    """Run a student's steps, and check the answers; return a verdict for each check, and what stopped the notebook.

    under: a command that the student's process runs under, such as `sudo -u nobody`.
    """
    with tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o777 if under else 0o700)  # another user may have to write
        process = StudentProcess(steps, folder, limits, under)
        try:
            answers = process.answers()
            verdicts = _verdicts(cells, answers, Decoder(folder, process.call), process.ended)
            slow = f"{process.slow} cells ran for over {limits.cell:g} s" if process.slow else ""
            return verdicts, "; ".join(filter(None, (process.ended, slow)))
        finally:
            process.close()


def _verdicts(
    cells: Sequence[Cell], answers: Mapping[str, Mapping[str, Any]], decoder: Decoder, ended: str
) -> list[Verdict]:
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="judge-") as ours:
        shell = quiet_shell(Path(ours))
        for cell in cells:
            if cell.kind == "check":
                answer = answers.get(cell.id, {})
                shell.push(
                    {name: decoder.decode(answer[name]) if name in answer else Undefined(name) for name in cell.names}
                )
            result = None if cell.kind == "answer" else run(shell, cell.code)
            if cell.kind == "check":
                missed = ended and cell.id not in answers
                verdicts.append(Verdict(cell.id, 0, f"Not reached: {ended}.") if missed else _verdict(cell, result))
    return verdicts


def _verdict(cell: Cell, result: object) -> Verdict:
    if isinstance(result, Right):
        return Verdict(cell.id, cell.points, result.text)
    return Verdict(cell.id, 0, str(result) if isinstance(result, AnswerError) else f"{type(result).__name__}: {result}")


def main() -> None:
    """Read one message with what to judge, and write one with the verdicts."""
    requests, replies = channel.private_streams()
    order = channel.receive(requests.readline())
    cells = [Cell(**{**cell, "names": tuple(cell["names"])}) for cell in order["cells"]]
    verdicts, ended = judge(cells, order["steps"], Limits(**order["limits"]), order["under"])
    channel.send(replies, {"verdicts": [vars(verdict) for verdict in verdicts], "ended": ended})


if __name__ == "__main__":
    main()
