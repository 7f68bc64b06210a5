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

    def spend_tree(self, value: object) -> None:
        """Count all that lists, tuples and dicts hold, shared parts each time that they are met."""
        waiting = [value]
        while waiting:
            part = waiting.pop()
            if isinstance(part, dict):
                part = list(part.values())
            if isinstance(part, (list, tuple)):
                self.spend(len(part))
                waiting.extend(part)
