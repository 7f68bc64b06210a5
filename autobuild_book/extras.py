"""Packages that a whole part of the companion needs."""

from importlib.util import find_spec

from autobuild_lib.extras import missing


def require(name: str, *packages: str) -> None:
    """Raise `ModuleNotFoundError` with the way to install the extra `name`, unless all its `packages` are installed."""
    for package in packages:
        if find_spec(package) is None:
            raise ModuleNotFoundError(missing(package, name), name=package)
