"""A panel of six networks whose frontier is known."""

from collections.abc import Callable

import pandas as pd

from autobuild_book.chapters.regions import clusters as pareto_regions
from autobuild_book.chapters.shared import frontiers
from autobuild_book.chapters.shared.frontiers import Frontier
from autobuild_book.chapters.shared.panels import Panel

# Latency and accuracy without noise: four points on the frontier, two dominated ones.
CLEAN = {"latency_gpu": [1.0, 2.0, 3.0, 4.0, 2.0, 4.0], "acc": [0.5, 0.6, 0.7, 0.8, 0.5, 0.7]}
NOISY = {"latency_gpu": [1.0, 2.0, 3.0, 4.0, 2.0, 4.0], "acc": [0.4, 0.6, 0.65, 0.8, 0.7, 0.7]}
EQUATIONS = {"fast": "acc / latency_gpu", "accurate": "acc"}


def frontier(panel: Panel, judges: dict[str, frontiers.Judge], noisy: bool = False) -> Frontier:
    labels = frontiers.training_labels([panel], judges)
    return frontiers.training_frontiers([panel], labels, noisy)["toy", "gpu"]


Share = Callable[[int, int], float]  # of panel and region


def judged(share: Share, score: str = "norm", panels: int = 6, regions: int = 3, seed: int = 0) -> pd.DataFrame:
    rows = [
        (f"family {panel % 2}", f"device {panel // 2}", f"region {region}", score, seed, share(panel, region))
        for panel in range(panels)
        for region in range(regions)
    ]
    frame = pd.DataFrame(rows, columns=[*pareto_regions.KEY, "share"])
    return frame.assign(networks=243, noisy_share=1.0, any_share=0.0, new_share=1.0, beaten=0.1, gained=0.01)
