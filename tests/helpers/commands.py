"""What tests say of a command that refused, and of wrong usage."""

from collections.abc import Callable

Run = Callable[..., tuple[int, str, str]]


def assert_refused(result: tuple[int, str, str], *parts: str) -> None:
    """Exit code 1, nothing on stdout, and one line on stderr that holds all `parts`."""
    code, out, err = result
    assert code == 1 and out == ""
    assert err.startswith("autobuild: ") and err.count("\n") == 1 and err.endswith("\n"), err
    assert "Traceback" not in err and err[:-1].isprintable()
    for part in parts:
        assert part in err, err


def assert_wrong_usage(result: tuple[int, str, str], *parts: str) -> None:
    code, out, err = result
    assert code == 2 and out == "" and "usage: autobuild" in err
    for part in parts:
        assert part in err, err
