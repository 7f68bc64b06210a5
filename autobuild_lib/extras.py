"""Packages that only an extra brings: the error for one that is not installed says how to install it."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import inside of this block what the extra `name` brings; the error for what is missing says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(missing(error.name, name), name=error.name) from None


def missing(package: str | None, name: str) -> str:
    """Say that a package is not installed, and which extra brings it."""
    return f"{package} is not installed: pip install 'autobuild-book[{name}]'"
