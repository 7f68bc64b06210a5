"""Devices in words: what the makers say of them, short, in the same order everywhere.

The facts are those of data sheets: generation, computing units, memory, throughput and power, where there is one. HELP
does not say which V100 it is; described is that of 16 GB with PCIe.
"""

from dataclasses import dataclass

BATCHES = (1, 32, 64)


@dataclass(frozen=True)
class Setting:
    """A device as networks are timed on it.

    device: what is left out together. text: what a predictor reads. images: of a batch.
    """

    device: str
    text: str
    images: int = 1


GPUS = {
    "2080ti": "Nvidia GPU GeForce RTX 2080 Ti, Turing, 4352 cores, 11 GB GDDR6 616 GB/s, 13.4 TFLOPS, 250 W",
    "titan_rtx": "Nvidia GPU Titan RTX, Turing, 4608 cores, 24 GB GDDR6 672 GB/s, 16.3 TFLOPS, 280 W",
    "titan_xp": "Nvidia GPU Titan Xp, Pascal, 3840 cores, 12 GB GDDR5X 548 GB/s, 12.1 TFLOPS, 250 W",
    "v100": "Nvidia GPU Tesla V100, Volta, 5120 cores, 16 GB HBM2 900 GB/s, 14 TFLOPS, 250 W",
}
HELP = {
    f"latency_{gpu}_{images}": Setting(gpu, f"{text}, batch of {images} image{'s' * (images > 1)}", images)
    for gpu, text in GPUS.items()
    for images in BATCHES
}
CELLS = {
    "edgegpu_latency": "Nvidia Jetson TX2 edge GPU, Pascal, 256 cores, 8 GB LPDDR4, 1.3 TFLOPS FP16, 15 W",
    "raspi4_latency": "Raspberry Pi 4 single-board computer, ARM Cortex-A72 CPU, 4 cores 1.5 GHz, 4 GB LPDDR4",
    "edgetpu_latency": "Google Edge TPU, ASIC with a systolic array for int8, 4 TOPS, 2 W",
    "pixel3_latency": "Google Pixel 3 smartphone, Snapdragon 845, ARM Kryo 385 CPU, 8 cores 2.8 GHz, 4 GB LPDDR4X",
    "eyeriss_latency": "Eyeriss accelerator, ASIC, 168 processing elements, row stationary dataflow, 0.2 GHz, 0.3 W",
    "fpga_latency": "Xilinx ZC706 board, Zynq-7000 FPGA, 900 DSP slices, 1 GB DDR3",
}  # HW-NAS-Bench (Li et al., ICLR 2021)
NAS_BENCH_201 = {label: Setting(label.partition("_")[0], text) for label, text in CELLS.items()}
