"""Losses of the head that look at pairs: RankNet (Burges et al., ICML 2005), and LambdaRank, which asks for the top.

Scores and targets are [P, n]: P predictors and the n networks of a batch. A loss is [P]. Larger targets are better.
"""

import torch
from torch import Tensor
from torch.nn import functional

MOST_RELEVANT = 4.0  # of the best network of a batch, 0 of the worst: as far as grades go in learning to rank


def ranknet(scores: Tensor, targets: Tensor) -> Tensor:
    """Mean, over pairs with target i above j, of log(1 + exp(score j - score i))."""
    above = (_pairs(targets) > 0).to(scores)
    return (_surprises(scores) * above).sum((1, 2)) / above.sum((1, 2)).clamp(min=1)


def lambdarank(scores: Tensor, targets: Tensor) -> Tensor:
    """Sum over the same pairs, each times what its exchange would change of NDCG (Burges, MSR-TR-2010-82, section 4).

    A network's relevance is the share of the batch below it, times 4; its gain 2^relevance - 1.
    """
    above = (_pairs(targets) > 0).to(scores)
    relevance = MOST_RELEVANT * above.sum(2) / max(targets.shape[1] - 1, 1)
    gains = torch.exp2(relevance) - 1
    discounts = 1 / torch.log2(torch.arange(targets.shape[1]).to(scores) + 2)
    ideal = (gains.sort(1, descending=True).values * discounts).sum(1).clamp(min=torch.finfo(scores.dtype).tiny)
    places = scores.detach().argsort(stable=True, dim=1, descending=True).argsort(1)
    change = (_pairs(gains) * _pairs(discounts[places])).abs() / ideal[:, None, None]
    return (_surprises(scores) * above * change).sum((1, 2))


def squared_and_lambdarank(scores: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error and LambdaRank's sum, equally weighted."""
    return (scores - targets).square().mean(1) + lambdarank(scores, targets)


def _pairs(values: Tensor) -> Tensor:
    """Differences i - j, [P, n, n]."""
    return values[:, :, None] - values[:, None]


def _surprises(scores: Tensor) -> Tensor:
    """What a pair costs whose i is above j."""
    return functional.softplus(-_pairs(scores))
