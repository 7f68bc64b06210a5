"""Checks of the labs that refuse an answer."""

from collections.abc import Callable
from typing import Any

import pytest

from autobuild_book.labs.verdicts import AnswerError, Right


def refused(hint: str, check: Callable[..., Right], *arguments: Any) -> None:
    with pytest.raises(AnswerError) as caught:
        check(*arguments)
    assert hint in str(caught.value), str(caught.value)
