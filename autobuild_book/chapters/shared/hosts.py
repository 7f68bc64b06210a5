"""Random host networks with what labels them: a place to put modules into."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.frontiers import Judge
from autobuild_book.parallel import in_threads
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.targets import Target

Array = npt.NDArray[np.float64]
PART = 256  # architectures labelled at once: small enough for the processor's cache


@dataclass(frozen=True, eq=False)
class Bench:
    """Random host networks of one family, and what labels them.

    judge: labels architectures given by their codes. hosts: codes [hosts, code_width], which no score has seen.
    """

    space: SequenceSpace
    judge: Judge
    hosts: Codes

    @classmethod
    def draw(cls, space: SequenceSpace, judge: Judge, hosts: int, head: bytes, seed: int) -> "Bench":
        """Draw hosts with the global features of `head`."""
        drawn = space.sample_codes(np.random.default_rng([seed, 3]), hosts)
        drawn[:, : len(head)] = np.frombuffer(head, np.uint8)
        return cls(space, judge, drawn)

    def first(self, hosts: int) -> "Bench":
        """Return a bench with the first of these hosts."""
        return Bench(self.space, self.judge, self.hosts[:hosts])

    def with_modules(self, unit: int, contents: Codes) -> Codes:
        """Put contents [hosts, width] of a scoring group into the hosts, one each; [1, width] goes into all."""
        return self.space.scoring_groups[unit].put(self.hosts, contents)

    def label(self, placed: Sequence[Codes]) -> pd.DataFrame:
        """Label networks [hosts, code_width], a batch per module: modules x hosts rows."""
        codes = np.concatenate(placed)
        parts = [codes[start : start + PART] for start in range(0, len(codes), PART)]
        return pd.concat(in_threads(self.judge, parts, "measuring"), ignore_index=True)

    def values(self, target: str, labels: pd.DataFrame) -> Array:
        """Evaluate a target on labels of modules x hosts rows, [modules, hosts]."""
        return Target(target).evaluate(labels).reshape(-1, len(self.hosts))
