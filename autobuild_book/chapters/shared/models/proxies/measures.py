"""The proxies themselves, one function each, from the passes of a minibatch through a network.

"Weights" are those of convolutions (transposed ones too) and linear layers, without biases and normalisations, each
once however often a layer is called, frozen ones as well; L is the mean cross-entropy of the minibatch. Batch
normalisation takes its statistics from the minibatch, except where a proxy says otherwise.

"Abdelfattah" is Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS" (ICLR 2021), where scores of weights that
were made for pruning are first summed over a network.
"""

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from autobuild_book.chapters.shared.models.proxies.passes import (
    RECTIFIERS,
    WEIGHTED,
    Passes,
    channels_last,
    hook_forward,
)
from autobuild_lib.networks.modules import MBConv

ZEN_STEP = 0.01  # alpha in the paper
CORRELATION_OFFSET = 1e-5  # k in the paper


# -------------------------------------------------------------------- counts


def parameters(passes: Passes) -> float:
    """Number of parameters, those of biases and normalisations included."""
    return sum(parameter.numel() for parameter in passes.network.parameters())


def macs(passes: Passes) -> float:
    """Multiply-adds of convolutions and matrix products for one image of the minibatch's resolution, in evaluation."""
    network, image = passes.copy().eval(), passes.minibatch.draw()[0][:1]
    with FlopCounterMode(display=False) as counter:
        passes.run(network, image)
    return int(counter.get_total_flops()) // 2


# -------------------------------------------------------------------- gradients of the loss


def grad_norm(passes: Passes) -> float:
    """Sum over layers of the Euclidean norm of the gradient: sum_l ||dL/dw_l||_2 (Abdelfattah, section 3.2)."""
    return float(sum(gradient.norm().item() for gradient in passes.gradients[0]))


def snip(passes: Passes) -> float:
    """Sum over weights of |dL/dw * w|, what removing each of them would change.

    Lee et al., "SNIP: Single-shot Network Pruning based on Connection Sensitivity" (ICLR 2019), without its
    normalisation; Abdelfattah, equation 1.
    """
    pairs = zip(passes.gradients[0], passes.forward.weights, strict=True)
    return sum((gradient * weight).abs().sum().item() for gradient, weight in pairs)


def grasp(passes: Passes) -> float:
    """Sum over weights of -(H g) * w, with the gradient g and the Hessian H of L, by differentiating g . g / 2.

    Wang et al., "Picking Winning Tickets Before Training by Preserving Gradient Flow" (ICLR 2020), equation 8, at
    temperature 1; Abdelfattah, equation 1. Terms of a layer that is normalised nearly cancel: the sum is far less exact
    than they are.
    """
    weights, gradients = passes.forward.weights, passes.gradients[0]
    half = torch.stack([gradient.square().sum() for gradient in gradients]).sum() / 2
    products = torch.autograd.grad(half, weights, retain_graph=True, materialize_grads=True)
    return -sum((product * weight).sum().item() for product, weight in zip(products, weights, strict=True))


def fisher(passes: Passes) -> float:
    """Sum over channels of 1 / (2 N) sum_n (sum_p a_np dL/da_np)^2, a: output of a layer at position p for image n.

    Theis et al., "Faster gaze prediction with dense networks and Fisher pruning" (2018); Turner et al., "BlockSwap"
    (ICLR 2020); Abdelfattah, equation 2. L is the mean over images, so values are 1 / N^2 of those for their sum.
    """
    total, forward = 0.0, passes.forward
    for output, gradient, channel in zip(forward.outputs, passes.gradients[1], forward.channels, strict=True):
        of_channel = (output * gradient).detach()
        positions = [axis for axis in range(1, output.ndim) if axis != channel]
        of_channel = of_channel.sum(positions) if positions else of_channel  # [N, channels]
        total += of_channel.square().mean(0).sum().item() / 2
    return total


# -------------------------------------------------------------------- how differently a network treats images


def naswot(passes: Passes) -> float:
    """Logarithm of the determinant of K, K_ij: number of rectifier units that are on for both images i and j or none.

    Mellor et al., "Neural Architecture Search without Training" (ICML 2021), section 3: K_ij = N_A - d_H(c_i, c_j),
    with the Hamming distance d_H of binary codes c of length N_A. A unit of an activation module that is no gate is on
    where its input is above 0; activations that are called as functions are not seen.
    """
    if not passes.forward.kernel.any():
        raise ValueError("there is no activation module, as nn.ReLU()")
    return float(torch.linalg.slogdet(passes.forward.kernel).logabsdet)


def jacob_cov(passes: Passes) -> float:
    """-sum_i log(v_i + k) + 1 / (v_i + k), v: eigenvalues of the correlation between the images' Jacobians.

    Mellor et al., "Neural Architecture Search without Training", first version (arXiv 2006.04647v1), section 3, with
    k = 1e-5; Abdelfattah, section 3.2. As there, the Jacobian of an image is the gradient of the sum of all scores.
    """
    forward = passes.forward
    (jacobian,) = torch.autograd.grad(forward.scores.sum(), forward.images, retain_graph=True)
    shifted = torch.linalg.eigvalsh(torch.corrcoef(jacobian.flatten(1).double())) + CORRELATION_OFFSET
    return -float((shifted.log() + 1 / shifted).sum())


# -------------------------------------------------------------------- other weights, and no labels


def synflow(passes: Passes) -> float:
    """Natural logarithm of sum_w w dR/dw for R = 1^T (prod_l |w_l|) 1, the scores of a linear network for ones, summed.

    Tanaka et al., "Pruning neural networks without any data by iteratively conserving synaptic flow" (NeurIPS 2020),
    equations 1 and 2; Abdelfattah, equation 1. All parameters are made absolute and rectifiers left out (where ReLU6
    would saturate, R would stop to grow); gates of squeeze-and-excitation stay. One image, normalisation in evaluation
    mode, double precision because R grows exponentially with depth; the logarithm, which keeps ranks, for the same.
    """
    network = passes.copy().double().eval()
    for parameter in network.parameters():
        parameter.data.abs_()
    hook_forward(network, RECTIFIERS, lambda _, inputs, __: inputs[0])
    side = passes.minibatch.resolution
    weights = [module.weight for module in network.modules() if isinstance(module, WEIGHTED)]
    scores = passes.run(network, torch.ones(1, 3, side, side, dtype=torch.float64))
    flows = torch.autograd.grad(scores.sum(), weights, materialize_grads=True)
    total = torch.stack([(weight * flow).sum() for weight, flow in zip(weights, flows, strict=True)]).sum()
    return float(total.detach().log())


@torch.no_grad()
def zen(passes: Passes) -> float:
    """log E ||f(x) - f(x + alpha e)||_F + sum_l log sqrt(mean_c s_lc^2), f: features in front of the last pooling.

    Lin et al., "Zen-NAS" (ICCV 2021), algorithm 1: weights, images x and directions e from N(0, 1), biases 0, residual
    links removed, alpha = 0.01; s_lc is the standard deviation of channel c in front of normalisation l for x.
    """
    images, generator = passes.minibatch.draw()
    directions = torch.randn(images.shape, generator=generator)
    network = _gaussian(passes.copy(), generator)
    log_scales: list[float] = []
    features: list[Tensor] = []

    def note_scale(_: nn.Module, inputs: tuple[Tensor], __: Tensor) -> None:
        log_scales.append(inputs[0].var((0, 2, 3), correction=0).mean().log().item() / 2)

    def note_features(_: nn.Module, inputs: tuple[Tensor], __: Tensor) -> None:
        features.append(inputs[0])

    hook_forward(network, nn.BatchNorm2d, note_scale)
    hook_forward(network, nn.AdaptiveAvgPool2d, note_features)
    passes.run(network, images)
    if not features:
        raise ValueError("the Zen score needs a network with an AdaptiveAvgPool2d behind its features; it has none")
    before, count = features[-1], len(log_scales)
    passes.run(network, images + ZEN_STEP * directions)
    distances = (features[-1] - before).flatten(1).norm(dim=1)
    return float(distances.mean().log()) + sum(log_scales[:count])


def _gaussian(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Put a network in training mode, give it weights from N(0, 1), and take its biases and residual links."""
    for module in network.train().modules():
        if isinstance(module, MBConv):
            module.residual = False
        elif isinstance(module, WEIGHTED):
            module.weight.data = channels_last(module.weight.normal_(generator=generator))
            if module.bias is not None:
                module.bias.zero_()
    return network
