"""Evolution by tournaments: who competes, who makes room, and that nothing is evaluated twice."""

import numpy as np

from autobuild_book.chapters.shared.tournaments import Tournaments


def search(**options: object) -> Tournaments[int]:
    usual: dict[str, object] = {
        "draw": lambda rng: int(rng.integers(1000)), "change": lambda rng, parent: parent + int(rng.integers(-3, 4)),
        "key": lambda number: number, "value": float, "population": 5, "rivals": 2,
    }  # fmt: skip
    return Tournaments(**(usual | options))  # type: ignore[arg-type]


def test_nothing_is_evaluated_twice_and_it_climbs() -> None:
    numbers = search().run(np.random.default_rng(0), 200)
    assert len(numbers) == len(set(numbers)) == 200
    assert max(numbers) > max(numbers[:5]) + 20
    assert numbers == search().run(np.random.default_rng(0), 200)


def test_the_oldest_makes_room_only_where_members_age() -> None:
    parents: list[int] = []

    def change(rng: np.random.Generator, parent: int) -> int:
        parents.append(parent)
        return -len(parents)  # worse than all before

    drawn = iter(range(100, 105))
    options = {"draw": lambda rng: next(drawn), "change": change, "rivals": 1000}
    search(**options, aging=True).run(np.random.default_rng(0), 11)
    assert parents == [104, 104, 104, 104, 104, -1], "the best is a parent until it is the oldest"
    parents.clear()
    drawn = iter(range(100, 105))
    search(**options, aging=False).run(np.random.default_rng(0), 11)
    assert parents == [104] * 6


def test_a_share_of_the_population_competes() -> None:
    numbers: list[int] = []

    def change(rng: np.random.Generator, parent: int) -> int:
        numbers.append(parent)
        return -len(numbers)

    drawn = iter(range(100, 120))
    options = {"draw": lambda rng: next(drawn), "change": change, "population": 20, "rivals": 1, "aging": False}
    search(**options, share=1.0).run(np.random.default_rng(0), 30)
    assert numbers == [119] * 10
    drawn = iter(range(100, 120))
    search(**options).run(np.random.default_rng(0), 30)
    assert len(set(numbers[10:])) > 3, "a single rival is any member"


def test_where_parents_lead_nowhere_a_network_is_drawn() -> None:
    numbers = search(change=lambda rng, parent: parent).run(np.random.default_rng(0), 20)
    assert len(set(numbers)) == 20


def test_what_cannot_be_evaluated_and_what_failed() -> None:
    key = lambda number: number if number % 2 else None  # noqa: E731
    assert all(number % 2 for number in search(key=key).run(np.random.default_rng(1), 40))
    assert len(search(value=lambda number: float("nan")).run(np.random.default_rng(1), 40)) == 40


def test_two_parents() -> None:
    pairs: list[tuple[int, int]] = []

    def change(rng: np.random.Generator, first: int, second: int) -> int:
        pairs.append((first, second))
        return first + second

    search(change=change, parents=2, rivals=1).run(np.random.default_rng(0), 30)
    assert any(first != second for first, second in pairs)
