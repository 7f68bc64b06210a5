"""Texts that users gave, as a terminal can show them."""

from autobuild_lib.values import MOST_CHARACTERS


def brief(text: str) -> str:
    """Write a text that a user gave in one line that can be read, without quotes."""
    line = printable(" ".join(text[: 10 * MOST_CHARACTERS].split()))
    return line if len(line) <= 2 * MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}..."


def printable(text: str) -> str:
    """Write characters that steer a terminal, or that no file of text may hold, as escapes; line breaks stay."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
