"""Choice of the device, set up so that equal runs give equal numbers."""

import os
import warnings

import torch


def use_device(threads: int, processes: int = 1) -> tuple[torch.device, int]:
    """Return the GPU if there is one, else the CPU, set up to compute reproducibly.

    Args:
        threads: number of the job's threads on this machine.
        processes: number of processes that share them, each with its own device.

    Returns:
        The device, and the number of worker processes that decode images for it: none
        on a CPU, whose cores are the device.
    """
    # cuBLAS is reproducible only with a workspace of fixed size.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # use_deterministic_algorithms would import the compiler, which takes a second.
    torch.set_deterministic_debug_mode("warn")
    # Filling only takes time: no code here reads memory before writing it. (A property
    # of a module, which type checkers do not see.)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # Its writes race only where pooling windows overlap, and none do here.
    warnings.filterwarnings("ignore", "max_unpooling2d.*deterministic")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # torch's default: 10 bits for float32's 23
    threads = max(1, threads // processes)
    if torch.cuda.is_available():
        return torch.device("cuda"), threads - 1
    torch.set_num_threads(threads)
    return torch.device("cpu"), 0
