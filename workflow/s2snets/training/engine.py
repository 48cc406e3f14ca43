"""One process or many: which of a step's images each sees, and how they agree.

Lightning Fabric starts the processes, averages their gradients and casts to half
precision. What it leaves open is settled here, so that a training's numbers do not
depend on how many processes share it: batch norm over all their images, dropout drawn
for all of them, and ends that all of them come to.
"""

import os
import threading
import time
import warnings
from functools import partial
from typing import NamedTuple

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment, SLURMEnvironment
from lightning_fabric.strategies import DDPStrategy
from torch import nn

from s2snets.runtime.device import use_device
from s2snets.runtime.errors import UserError

LAUNCHER = "S2SNETS_LAUNCHER"  # the process id of who started the others

# Modules that draw at random, by name: two of them are other libraries'. Each of them
# multiplies its input by what it draws.
DROPPING = {"Dropout", "Dropout1d", "Dropout2d", "Dropout3d"}
DROPPING |= {"StochasticDepth", "DropPath"}


class Share(NamedTuple):
    """Which of the images that go through the network at once are this process's."""

    images: int | None = None  # that go through it at once, in all processes
    rank: int = 0
    world: int = 1

    def own(self, draw, count):
        """This process's rows of what is drawn at random for all processes.

        Args:
            draw: (number of images) -> tensor whose first axis they are.
            count: this process's images.
        """
        if self.world == 1:
            return draw(count)
        first = self.images * self.rank // self.world
        return draw(self.images)[first : first + count]


ALONE = Share()


class Engine(NamedTuple):
    """What a training runs on."""

    fabric: Fabric
    workers: int = 0  # that decode images for this process
    share: Share = ALONE

    @property
    def first(self):
        """Whether this is the process that writes and reports."""
        return self.share.rank == 0

    def sum(self, values):
        """Float64 numbers by name, added up over the processes."""
        if self.share.world == 1 or not values:
            return values
        numbers = [
            torch.as_tensor(value, dtype=torch.float64, device=self.fabric.device)
            for value in values.values()
        ]
        total = torch.stack(numbers)
        dist.all_reduce(total)
        return dict(zip(values, total, strict=True))

    def greatest(self, flags):
        """A tensor's greatest values over the processes, in place.

        Fabric's own reductions wait for all devices first; this one returns at once.
        """
        if self.share.world > 1:
            dist.all_reduce(flags, dist.ReduceOp.MAX)
        return flags

    def from_first(self, make):
        """What the first process makes, in all of them; its mistake ends them all."""
        found = mistake = None
        if self.first:
            try:
                found = make()
            except UserError as error:
                mistake = str(error)
        if self.share.world > 1:
            found, mistake = self.fabric.broadcast((found, mistake))
        if mistake is not None:
            self.fail(mistake)
        return found

    def fail(self, text):
        """A mistake that all processes know of: told by the first.

        The others end well, since whoever started them kills the first when one fails.
        """
        if self.first:
            raise UserError(text)
        raise SystemExit(0)


def start(settings, *, threads=1, devices=None, nodes=1):
    """A training's processes, before they are launched.

    Args:
        settings: a ``config.Optimisation``.
        threads: of the job: its processes share them; of a process under ``srun``.
        devices: processes on each node; None: one a GPU that the job has, or one.
        nodes: that take part.

    Raises:
        UserError: more processes than images that go through the network at once, or
            half precision without a GPU.
    """
    images, gpu = settings.micro_batch or settings.batch, torch.cuda.is_available()
    if settings.precision == "16-mixed" and not gpu:
        raise UserError(
            "precision: 16-mixed needs a GPU; use bf16-mixed or 32-true on a CPU"
        )
    # A Slurm job of one task, such as Snakemake's, starts the others by itself.
    srun = int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1
    if srun:
        devices, nodes = tasks()
    found = torch.cuda.device_count()
    devices = devices or max(1, min(found, images // nodes))
    if gpu and devices > found:
        raise UserError(
            f"--devices: {devices} are more than the {found} GPUs seen here"
        )
    if devices * nodes > images:
        raise UserError(
            f"batch: {images} images at once are less than the {devices * nodes}"
            " processes that share them; enlarge it, or give fewer --devices"
        )
    _, workers = use_device(threads, 1 if srun else devices)
    many = devices * nodes > 1
    if many:
        # Its successor is not in every torch that this runs on.
        warnings.filterwarnings("ignore", ".*broadcast_buffers.*")
    fabric = Fabric(
        accelerator="cuda" if gpu else "cpu",
        devices=devices,
        num_nodes=nodes,
        # All processes compute the same buffers: there is nothing to broadcast.
        strategy=DDPStrategy(find_unused_parameters=True, broadcast_buffers=False)
        if many
        else "auto",
        precision=settings.precision,
        plugins=[SLURMEnvironment() if srun else LightningEnvironment()],
    )
    return Engine(fabric, workers, Share(images, fabric.global_rank, fabric.world_size))


def tasks():
    """Processes a node, and nodes, where ``srun`` started them all."""
    try:
        return tuple(
            int(os.environ[name]) for name in ("SLURM_NTASKS_PER_NODE", "SLURM_NNODES")
        )
    except KeyError as missing:
        raise UserError(
            f"{missing.args[0]}: not set by srun; ask for --nodes and --ntasks-per-node"
        ) from None


def launch(engine):
    """Start the processes, or join those that were started with this one."""
    if engine.share.world == 1:
        return
    parent = int(os.environ.setdefault(LAUNCHER, str(os.getpid())))
    threads = torch.get_num_threads()
    engine.fabric.launch()
    torch.set_num_threads(threads)  # Fabric takes all cores
    if parent == os.getppid():
        threading.Thread(target=follow, args=(parent,), daemon=True).start()


def follow(parent):
    """End with the process that started this one, however it ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def share_modules(model, share):
    """Make batch norm and dropout act as if one process saw all images.

    In place. Layers that do not learn keep their statistics and need none of it.
    """
    if share.world == 1:
        return
    if torch.cuda.is_available():
        nn.SyncBatchNorm.convert_sync_batchnorm(model)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training:
            if not isinstance(module, nn.SyncBatchNorm):
                module.__class__ = SharedBatchNorm
        elif type(module).__name__ in DROPPING:
            module.forward = partial(dropped, module, share)


def dropped(module, share, x):
    """Dropout of this process's images, drawn for all images."""
    forward = type(module).forward
    if not module.training:
        return forward(module, x)
    return x * share.own(
        lambda count: forward(module, x.new_ones(count, *x.shape[1:])), len(x)
    )


class Total(torch.autograd.Function):
    """The sum over the processes; the losses of all depend on what each puts in."""

    @staticmethod
    def forward(ctx, x):
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, gradient):
        return Total.apply(gradient)


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over the images of all processes, on CPUs; GPUs have torch's own.

    Processes may have different numbers of images. The variance is that of the
    centred values: one pass over squares would lose digits.
    """

    def _check_input_dim(self, x):
        pass

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        axes = [axis for axis in range(x.dim()) if axis != 1]
        shape = [1, -1] + [1] * (x.dim() - 2)
        count = Total.apply(x.new_tensor([x.numel() / x.shape[1]]))
        mean = Total.apply(x.sum(axes)) / count
        centred = x - mean.view(shape)
        variance = Total.apply(centred.square().sum(axes)) / count
        if self.track_running_stats:
            with torch.no_grad():
                self.num_batches_tracked += 1
                unbiased = variance * count / (count - 1)
                for kept, new in (
                    (self.running_mean, mean),
                    (self.running_var, unbiased),
                ):
                    kept.lerp_(new, self.momentum)
        scale = (variance + self.eps).rsqrt() * self.weight
        return centred * scale.view(shape) + self.bias.view(shape)
