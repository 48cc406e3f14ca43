"""Where tensors live, set up so that equal runs give equal numbers."""

import os
import warnings

import torch


def use_device(threads, processes=1):
    """The accelerator if there is one, set up for reproducible arithmetic.

    Args:
        threads: that the job has on this machine.
        processes: that share them, each with a device.

    Returns:
        The device, and the number of processes that decode images for it: on a CPU
        none, since its cores are the device.
    """
    # cuBLAS is reproducible only with a workspace of fixed size.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Without the compiler, whose import takes longer than many a stage.
    torch.set_deterministic_debug_mode("warn")
    # No code here reads memory before it is written: filling it only takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False
    # Its writes would race where windows overlap, and no pool's do here.
    warnings.filterwarnings("ignore", "max_unpooling2d.*deterministic")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # torch's default: 10 bits for float32's 23
    threads = max(1, threads // processes)
    if torch.cuda.is_available():
        return torch.device("cuda"), threads - 1
    torch.set_num_threads(threads)
    return torch.device("cpu"), 0
