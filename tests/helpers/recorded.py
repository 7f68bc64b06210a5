"""Jobs that are noted instead of done."""

from collections.abc import Callable
from typing import Any

import pytest


def record(monkeypatch: pytest.MonkeyPatch, job: type, fake: Callable[[Any], Any]) -> list[Any]:
    """Let jobs of a kind return made-up rows; return the list that holds those which were run."""
    jobs: list[Any] = []

    def run(own: Any) -> Any:
        jobs.append(own)
        return fake(own)

    monkeypatch.setattr(job, "run", run)
    return jobs
