"""Choice of the device, set up so that equal runs give equal numbers."""

import ctypes
import os
import sys
import warnings

import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def keep_freed_memory() -> None:
    """Let the process keep the memory that it frees, where the C library is glibc.

    Otherwise each step of a training returns its tensors' pages and asks for them
    again, and the kernel clears them: a sixth of the time of small networks.
    """
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)
        set_option(M_MMAP_THRESHOLD, 32 << 20)  # the greatest that is allowed
        set_option(M_TRIM_THRESHOLD, (1 << 31) - 1)


def use_device(
    threads: int, processes: int = 1, *, deterministic: bool = True
) -> tuple[torch.device, int]:
    """Return the GPU if there is one, else the CPU, set up to compute reproducibly.

    Args:
        threads: number of the job's threads on this machine.
        processes: number of processes that share them, each with its own device.
        deterministic: whether equal runs give equal bits. If not, a GPU may use the
            algorithms that are fastest on it, and TF32 in place of float32.

    Returns:
        The device, and the number of worker processes that decode images for it: none
        on a CPU, whose cores are the device.
    """
    # cuBLAS is reproducible only with a workspace of fixed size.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # use_deterministic_algorithms would import the compiler, which takes a second.
    torch.set_deterministic_debug_mode("warn" if deterministic else "default")
    # Filling only takes time: no code here reads memory before writing it. (A property
    # of a module, which type checkers do not see.)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # Its writes race only where pooling windows overlap, and none do here.
    warnings.filterwarnings("ignore", "max_unpooling2d.*deterministic")
    torch.backends.cudnn.benchmark = not deterministic
    # TF32 has 10 bits for float32's 23; torch's default is to use it in convolutions.
    torch.backends.cudnn.allow_tf32 = not deterministic
    torch.backends.cuda.matmul.allow_tf32 = not deterministic
    keep_freed_memory()
    threads = max(1, threads // processes)
    if torch.cuda.is_available():
        return torch.device("cuda"), threads - 1
    torch.set_num_threads(threads)
    return torch.device("cpu"), 0
