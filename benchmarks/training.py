"""A training step at the paper's scale: the project's Trainer against a plain loop.

    PYTHONPATH=workflow python benchmarks/training.py

SegNet at 256 px is pretrained, and its decoder fine-tuned through a classifier, on a
GPU if there is one, else on one core, in seconds of that processor. The plain loop is
eager, float32, NCHW. The Trainer is what the stages call, in each precision, on a GPU
also compiled. The pixels are already on the device: `loader.py` measures loading. Each
way runs in a process of its own, whose peak memory is measured (the GPU's, on a GPU).
Ways take turns, so that other load on the machine affects all; ratios are medians over
the turns, of which a CPU has one. Shares compare with the speed of a product of two
large matrices in the same precision, measured in the same process.
"""

from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import torch
from common import alone, highest, in_turn, processor, ratio, record
from torch import nn

from s2snets.config import Classifier, Finetune, Pretraining
from s2snets.networks.cost import count_operations
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.segnet import SegNet, Tuned
from s2snets.training.engine import create_engine
from s2snets.training.loop import Trainer
from s2snets.training.objectives import classification, reconstruction
from s2snets.training.state import OPTIMISERS

SIDE, CLASSES = 256, 1000
GPU = torch.cuda.is_available()
BATCH, WARM, STEPS, MATRIX = (64, 8, 24, 8192) if GPU else (2, 1, 1, 2048)
TURNS = 3 if GPU else 1


def pretraining():
    settings = Pretraining(batch=BATCH, images=BATCH * (WARM + STEPS))
    return SegNet(), reconstruction(settings.loss_space), settings


def finetuning(architecture, **sizes):
    spec = classifier_spec(
        Classifier(architecture=architecture, **sizes), CLASSES, SIDE
    )
    settings = Finetune(batch=BATCH, images=BATCH * (WARM + STEPS))
    model = nn.Sequential(Tuned(SegNet(), "decoder"), build_classifier(spec))
    return model, classification, settings


CASES = {
    "pretraining": pretraining,
    "fine-tuning through R": partial(finetuning, "torchvision/resnet50", crop=224),
}


class Clock:
    """Iterator over one batch that times the steps after the warm-up."""

    def __init__(self, batch):
        self.batch, self.began = batch, None

    def __call__(self, seen=0):
        for step in range(WARM + STEPS):
            if step == WARM:
                self.began = now()
            yield self.batch

    def seconds(self):
        """Return the seconds of one step."""
        return (now() - self.began) / STEPS


def now():
    """Return seconds; on a CPU the process's own, since the core may be shared."""
    if not GPU:
        return process_time()
    torch.cuda.synchronize()
    return perf_counter()


def plain(model, loss, settings, batch):
    """Train with a plain loop; return the seconds of a step."""
    optimiser = OPTIMISERS[settings.optimiser](
        [one for one in model.parameters() if one.requires_grad], settings
    )
    model.to(batch[0].device).train()
    clock = Clock(batch)
    for given in clock():
        optimiser.zero_grad()
        value, _ = loss(model, given)
        value.backward()
        optimiser.step()
    return clock.seconds()


def trainer(model, loss, settings, batch, **changes):
    """Train as the stages do; return the seconds of a step."""
    settings = settings.model_copy(update=changes)
    pixels, labels = batch
    clock = Clock((pixels.contiguous(memory_format=torch.channels_last), labels))
    with TemporaryDirectory() as folder:
        Trainer(
            model.to(memory_format=torch.channels_last),
            loss,
            settings,
            create_engine(settings),
            seed=0,
            identity={},
            checkpoint_path=Path(folder) / "checkpoint.pt",
            save_every=float("inf"),
        ).fit(clock)
    return clock.seconds()


WAYS = {
    "plain loop": (plain, "32-true"),
    "s2snets, 32-true": (partial(trainer, precision="32-true"), "32-true"),
    "s2snets, bf16-mixed": (partial(trainer, precision="bf16-mixed"), "bf16-mixed"),
}
if GPU:
    compiled = partial(trainer, precision="bf16-mixed", compile=True)
    WAYS["s2snets, bf16-mixed, compiled"] = (compiled, "bf16-mixed")
TYPES = {"32-true": torch.float32, "bf16-mixed": torch.bfloat16}


def product(kind):
    """Return the operations per second of a large matrix product, the best of some."""
    device = torch.device("cuda" if GPU else "cpu")
    a, b = torch.rand(2, MATRIX, MATRIX, device=device).to(TYPES[kind])
    taken = []
    for _ in range(20 if GPU else 4):
        begun = now()
        torch.matmul(a, b)
        taken.append(now() - begun)
    return 2 * MATRIX**3 / min(taken)


def peak_memory():
    """Return the peak of the GPU's memory, or of this process's, in gigabytes."""
    if GPU:
        return torch.cuda.max_memory_allocated() / 1e9
    return highest() / 1e9


def measured(case, way):
    """Return seconds per step, gigabytes, and a matrix product's operations/s."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    function, kind = WAYS[way]
    device = torch.device("cuda" if GPU else "cpu")
    pixels = torch.rand(BATCH, 3, SIDE, SIDE, device=device)
    labels = torch.randint(0, CLASSES, (BATCH,), device=device)
    seconds = function(*CASES[case](), (pixels, labels))
    return seconds, peak_memory(), product(kind)


def rows():
    name = torch.cuda.get_device_name() if GPU else f"{processor()}, one core"
    for case, make in CASES.items():
        model, loss, _ = make()
        needed = count_operations(model, loss, SIDE)
        ways = {way: partial(alone, measured, case, way) for way in WAYS}
        found = in_turn(ways, TURNS)
        first = [turn[0] for turn in found["plain loop"]]
        for way, turns in found.items():
            seconds, memory, reached = zip(*turns, strict=True)
            share = median(
                needed * BATCH / one / peak
                for one, peak in zip(seconds, reached, strict=True)
            )
            yield (
                f"{case}: {way}",
                name,
                BATCH,
                f"{BATCH / median(seconds):.3g}",
                f"{ratio(first, seconds):.2f}",
                f"{max(memory):.1f}",
                f"{max(reached) / 1e12:.3g}",
                f"{share:.2f}",
            )


def main():
    header = ["what", "device", "batch", "images_a_second_median", "ratio"]
    header += ["peak_gigabytes", "product_tflops", "share_of_product"]
    record("training", header, rows())


if __name__ == "__main__":
    main()
