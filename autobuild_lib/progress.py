"""Progress bars on standard error, where there is one."""

import sys
from collections.abc import Iterable
from typing import Any, TypeAlias

from tqdm import tqdm

Bar: TypeAlias = "tqdm[Any]"


def progress_bar(items: Iterable[Any] | None = None, desc: str | None = None, **look: Any) -> Bar:
    """Return `tqdm(...)` with these arguments, disabled in a process without standard error (a service, `2>&-`)."""
    return tqdm(items, desc, **look | ({"disable": True} if sys.stderr is None else {}))
