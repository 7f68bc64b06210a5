"""Stage-wise search: start shallow, deepen the stages that deserve it, keep the best candidate, repeat.

Jordao, Yamada, Lie and Schwartz, "Stage-Wise Neural Architecture Search", ICPR 2020. A stage repeats one module; an
iteration compares the network with deeper candidates, and only stages whose importance rises with depth may grow. There
the importance is read from activations by partial least squares, which one training of the deeper network gives for
all stages at once (`importance.py`). Where a network has labels and no activations, as on a surrogate or in a table,
the importance of a stage is what the label gains when this stage alone is deepened, which costs an evaluation a stage.

The original searches once, from one shallow residual network; here each start draws the modules of its stages anew, and
starts are repeated until the evaluations are spent.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from autobuild_lib.spaces import Codes, SequenceSpace

Array = npt.NDArray[np.float64]
Code = npt.NDArray[np.uint8]  # of a network, [code_width]
Snap = Callable[[Code, tuple[int, ...]], Code]
MOST_STARTS = 1_000


@dataclass
class Record:
    """What a search has evaluated: nothing twice, and at most `budget` networks.

    values: labels of networks given by their codes, [N] -> [N]; the search maximises them.
    """

    values: Callable[[Codes], Array]
    budget: int
    seen: dict[bytes, float] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether the budget is spent."""
        return len(self.seen) >= self.budget

    def __call__(self, codes: Iterable[Code]) -> Array:
        """Return the labels of networks; minus infinity for those that the budget no longer pays for."""
        rows = list(codes)
        new = list(dict.fromkeys(code.tobytes() for code in rows if code.tobytes() not in self.seen))
        new = new[: self.budget - len(self.seen)]
        if new:
            labels = self.values(np.array([np.frombuffer(key, np.uint8) for key in new]))
            self.seen.update(zip(new, labels.tolist(), strict=True))
        return np.array([self.seen.get(code.tobytes(), -np.inf) for code in rows])

    @property
    def codes(self) -> Codes:
        """The evaluated networks in order, [N, code_width]."""
        return np.array([np.frombuffer(key, np.uint8) for key in self.seen])


def shallow(space: SequenceSpace, rng: np.random.Generator) -> Code:
    """Draw a network that is as shallow as can be, each stage of one module that it repeats."""
    code: Code = space.sample_codes(rng, 1)[0]
    for codec in space.codecs:
        _, features, layers = codec.split(code[None, codec.place])
        module = np.repeat(layers[:, :1], codec.depths[0], axis=1)
        code[codec.place] = codec.join(np.array([codec.depths[0]]), features, module)[0]
    return code


def growing(space: SequenceSpace, code: Code) -> list[int]:
    """Return the stages of a network that can be deepened."""
    depths = space.depths(code[None])[0]
    return [unit for unit, codec in enumerate(space.codecs) if depths[unit] < codec.depths[-1]]


def deepen(space: SequenceSpace, code: Code, units: Iterable[int]) -> Code:
    """Return a copy of a network with one more of its last module in each of some stages."""
    deeper = code.copy()
    for unit in units:
        codec = space.codecs[unit]
        depths, features, layers = codec.split(code[None, codec.place].copy())
        layers[:, depths[0]] = layers[:, depths[0] - 1]
        deeper[codec.place] = codec.join(depths + 1, features, layers[:, : depths[0] + 1])[0]
    return deeper


def as_it_is(code: Code, units: tuple[int, ...]) -> Code:
    """Return the code: every network can be evaluated."""
    return code


def step(space: SequenceSpace, code: Code, record: Record, snap: Snap = as_it_is) -> Code | None:
    """Make one iteration: return the best deeper network, or none when no candidate is better.

    Candidates are the network with one stage deepened, for each stage, and with all stages deepened that gain alone.

    Args:
        space: of the networks. code: the network. record: evaluates.
        snap: says which network stands for a candidate whose named stages were deepened; none are named at a start.
    """
    (before,) = record([code])
    units = growing(space, code)
    candidates = [snap(deepen(space, code, [unit]), (unit,)) for unit in units]
    importance = record(candidates) - before
    gaining = tuple(unit for unit, gain in zip(units, importance, strict=True) if gain > 0)
    if len(gaining) > 1:
        candidates.append(snap(deepen(space, code, gaining), gaining))
    labels = record(candidates)
    return candidates[int(labels.argmax())] if len(labels) and labels.max() > before else None


def grow(space: SequenceSpace, record: Record, rng: np.random.Generator, snap: Snap = as_it_is) -> Codes:
    """Grow networks, from one random shallow start after the other, until the budget is spent.

    Returns:
        the codes of all evaluated networks in order, [N, code_width].
    """
    for _ in range(MOST_STARTS):
        code: Code | None = snap(shallow(space, rng), ())
        while code is not None and not record.full:
            code = step(space, code, record, snap)
        if record.full:
            break
    return record.codes
