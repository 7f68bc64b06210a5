"""Limits on what is made of a file: objects and references, since shared parts make much of few bytes."""

from dataclasses import dataclass

FREE = 1_000_000  # objects and references that a file of any size may hold


@dataclass
class Allowance:
    """How much may be made of one file: beyond the most, an error says what was counted."""

    most: int
    what: str = "objects and references"
    error: type[ValueError] = ValueError
    spent: int = 0

    def spend(self, count: int = 1) -> None:
        """Count more of them."""
        self.spent += count
        if self.spent > self.most:
            raise self.error(f"found more than {self.most:,} {self.what}; allowed: at most that in this file")
