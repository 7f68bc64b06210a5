"""Progress bars on standard error, where there is one."""

import sys
from collections.abc import Iterable
from typing import Any, TypeAlias, TypeVar, overload

from tqdm import tqdm

Item = TypeVar("Item")
Bar: TypeAlias = "tqdm[Any]"


@overload
def progress_bar(items: Iterable[Item], desc: str | None = None, **look: Any) -> "tqdm[Item]": ...


@overload
def progress_bar(items: None = None, desc: str | None = None, **look: Any) -> Bar: ...


def progress_bar(
    items: Iterable[Any] | None = None, desc: str | None = None, *, disable: bool = False, **look: Any
) -> Bar:
    """Return `tqdm(...)` with these arguments, disabled in a process without standard error (a service, `2>&-`)."""
    return tqdm(items, desc, disable=disable or sys.stderr is None, **look)
