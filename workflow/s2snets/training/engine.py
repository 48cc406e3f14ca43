"""A training's processes: which images each of them sees, and how they agree.

Lightning Fabric starts the processes, averages their gradients and casts to half
precision. The rest is done here, so that a training's numbers do not depend on how many
processes share it: batch norm over the images of all processes, dropout drawn for all
of them, and decisions that all of them take at the same step.
"""

import gc
import os
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, NoReturn, TypeVar

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment, SLURMEnvironment
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, nn

from s2snets.config import Optimisation
from s2snets.runtime.device import use_device
from s2snets.runtime.errors import UserError

T = TypeVar("T")

LAUNCHER = "S2SNETS_LAUNCHER"  # variable: id of the process that starts the others

# Names of modules that draw at random; the last two are other libraries'. Each of them
# multiplies its input by what it draws.
DROPOUTS = {"Dropout", "Dropout1d", "Dropout2d", "Dropout3d"}
DROPOUTS |= {"StochasticDepth", "DropPath"}


class Share(NamedTuple):
    """One process's share of the images that go through the network at once."""

    images: int = 0  # in all processes; not used where there is one
    rank: int = 0
    world: int = 1

    def draw(self, draw_all: Callable[[int], Tensor], count: int) -> Tensor:
        """Return this process's rows of random values drawn for all processes.

        Args:
            draw_all: (number of images) -> tensor whose first axis they are.
            count: this process's images.
        """
        if self.world == 1:
            return draw_all(count)
        first = self.images * self.rank // self.world
        return draw_all(self.images)[first : first + count]


SINGLE = Share()


class Engine(NamedTuple):
    """The processes and the device that a training runs on."""

    fabric: Fabric
    workers: int = 0  # processes that decode images for this one
    share: Share = SINGLE

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.share.rank == 0

    def sum(self, values: Mapping[str, Tensor | float]) -> dict[str, Tensor | float]:
        """Return numbers by name, summed over the processes in float64."""
        if self.share.world == 1 or not values:
            return dict(values)
        numbers = [
            torch.as_tensor(value, dtype=torch.float64, device=self.fabric.device)
            for value in values.values()
        ]
        total = torch.stack(numbers)
        dist.all_reduce(total)
        return dict(zip(values, total, strict=True))

    def maximum(self, flags: Tensor) -> Tensor:
        """Replace a tensor's values by the greatest over the processes; return it.

        Fabric's own reductions wait for all devices first; this one returns at once.
        """
        if self.share.world > 1:
            dist.all_reduce(flags, dist.ReduceOp.MAX)
        return flags

    def from_first(self, make: Callable[[], T]) -> T:
        """Return in all processes what ``make`` returns in the first.

        Raises:
            UserError: in the first process, if ``make`` raised one; others exit.
        """
        result: Any = None
        message = None
        if self.is_first:
            try:
                result = make()
            except UserError as error:
                message = str(error)
        if self.share.world > 1:
            result, message = self.fabric.broadcast((result, message))
        if message is not None:
            self.fail(message)
        return result

    def fail(self, text: str) -> NoReturn:
        """End all processes on an error that all of them know: the first reports it.

        The others exit with 0, since whoever started them kills the first otherwise.
        """
        if self.is_first:
            raise UserError(text)
        raise SystemExit(0)

    def close(self) -> None:
        """Leave the other processes, once nothing averages gradients any more.

        If torch's reducer of gradients were the last to refer to the process group, it
        would wait for the group's thread with Python's lock held, and the thread for
        the lock.
        """
        if self.share.world > 1:
            gc.collect()
            dist.destroy_process_group()


def create_engine(
    settings: Optimisation,
    *,
    threads: int = 1,
    devices: int | None = None,
    nodes: int = 1,
) -> Engine:
    """Return a training's engine, before its processes are launched.

    Args:
        settings: sizes of batches, and the precision.
        threads: of the job, shared by its processes; under ``srun`` of one process.
        devices: processes on each node; None: one for each GPU of the job, or one.
        nodes: number of machines that take part.

    Raises:
        UserError: more processes than images that go through the network at once, or
            half precision without a GPU.
    """
    images, gpu = settings.micro_batch or settings.batch, torch.cuda.is_available()
    if settings.precision == "16-mixed" and not gpu:
        raise UserError(
            "precision: 16-mixed needs a GPU; use bf16-mixed or 32-true on a CPU"
        )
    # In a Slurm job of one task, such as Snakemake's, this process starts the others.
    srun = int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1
    if srun:
        devices, nodes = srun_tasks()
    gpus = torch.cuda.device_count()
    devices = devices or max(1, min(gpus, images // nodes))
    if gpu and devices > gpus:
        raise UserError(f"--devices: {devices} are more than the {gpus} GPUs seen here")
    if devices * nodes > images:
        raise UserError(
            f"batch: {images} images at once are less than the {devices * nodes}"
            " processes that share them; enlarge it, or give fewer --devices"
        )
    _, workers = use_device(
        threads, 1 if srun else devices, deterministic=settings.deterministic
    )
    parallel = devices * nodes > 1
    if parallel:
        # Its successor is not in every torch that this runs on.
        warnings.filterwarnings("ignore", ".*broadcast_buffers.*")
    fabric = Fabric(
        accelerator="cuda" if gpu else "cpu",
        devices=devices,
        num_nodes=nodes,
        # All processes compute the same buffers: there is nothing to broadcast.
        strategy=DDPStrategy(find_unused_parameters=True, broadcast_buffers=False)
        if parallel
        else "auto",
        precision=settings.precision,
        plugins=[SLURMEnvironment() if srun else LightningEnvironment()],
    )
    return Engine(fabric, workers, Share(images, fabric.global_rank, fabric.world_size))


def srun_tasks() -> tuple[int, int]:
    """Return the processes on each node, and the nodes, that ``srun`` started."""
    try:
        return int(os.environ["SLURM_NTASKS_PER_NODE"]), int(os.environ["SLURM_NNODES"])
    except KeyError as missing:
        raise UserError(
            f"{missing.args[0]}: not set by srun; ask for --nodes and --ntasks-per-node"
        ) from None


def launch(engine: Engine) -> None:
    """Start the engine's processes, or join those that were started with this one."""
    if engine.share.world == 1:
        return
    parent = int(os.environ.setdefault(LAUNCHER, str(os.getpid())))
    threads = torch.get_num_threads()
    engine.fabric.launch()
    torch.set_num_threads(threads)  # Fabric takes all cores
    if parent == os.getppid():
        threading.Thread(target=exit_with, args=(parent,), daemon=True).start()


def exit_with(parent: int) -> None:
    """Exit once the process that started this one has ended, however it ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def synchronise_modules(model: nn.Module, share: Share) -> None:
    """Make batch norm and dropout act as if one process saw all images, in place.

    Layers in evaluation mode keep their statistics and are left as they are.
    """
    if share.world == 1:
        return
    if torch.cuda.is_available():
        nn.SyncBatchNorm.convert_sync_batchnorm(model)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training:
            if not isinstance(module, nn.SyncBatchNorm):
                module.__class__ = SharedBatchNorm
        elif type(module).__name__ in DROPOUTS:
            module.forward = partial(shared_dropout, module, share)


def shared_dropout(module: nn.Module, share: Share, x: Tensor) -> Tensor:
    """Apply a dropout layer to this process's images, drawn for all images."""
    forward = type(module).forward
    if not module.training:
        return forward(module, x)
    return x * share.draw(
        lambda count: forward(module, x.new_ones(count, *x.shape[1:])), len(x)
    )


class ProcessSum(torch.autograd.Function):
    """The sum over the processes; the losses of all depend on each one's input."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return the sum of all processes' tensors."""
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the sum of all processes' gradients."""
        return ProcessSum.apply(gradient)


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over the images of all processes, on CPUs; GPUs have torch's own.

    Processes may have different numbers of images. The variance is that of the
    centred values: one pass over squares would lose digits.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def _check_input_dim(self, x: Tensor) -> None:
        """Accept any number of axes."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel, the second axis, over all other axes."""
        if not self.training:
            return super().forward(x)
        axes = [axis for axis in range(x.dim()) if axis != 1]
        shape = [1, -1] + [1] * (x.dim() - 2)
        count = ProcessSum.apply(x.new_tensor([x.numel() / x.shape[1]]))
        mean = ProcessSum.apply(x.sum(axes)) / count
        centred = x - mean.view(shape)
        variance = ProcessSum.apply(centred.square().sum(axes)) / count
        if self.track_running_stats:
            with torch.no_grad():
                self.num_batches_tracked += 1
                unbiased = variance * count / (count - 1)
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(unbiased, self.momentum)
        scale = (variance + self.eps).rsqrt() * self.weight
        return centred * scale.view(shape) + self.bias.view(shape)
