"""The device: reproducible arithmetic, set up without importing the compiler."""

import subprocess
import sys

ASKED = """
import sys
import torch
from s2snets.runtime.device import use_device

device, decoding = use_device(4, processes=2)
assert torch.are_deterministic_algorithms_enabled()
assert torch.is_deterministic_algorithms_warn_only_enabled()
assert not torch.backends.cudnn.benchmark
assert not torch.backends.cudnn.allow_tf32
if device.type == "cpu":
    assert (torch.get_num_threads(), decoding) == (2, 0)
else:
    assert decoding == 1
use_device(1, deterministic=False)
assert not torch.are_deterministic_algorithms_enabled()
assert torch.backends.cudnn.benchmark
assert torch.backends.cudnn.allow_tf32
assert torch.backends.cuda.matmul.allow_tf32
use_device(1)
assert torch.are_deterministic_algorithms_enabled()
assert not torch.backends.cuda.matmul.allow_tf32
assert "torch._inductor" not in sys.modules, "its import takes a second"
"""


def test_a_device_repeats_itself_and_is_asked_for_without_the_compiler():
    done = subprocess.run(
        [sys.executable, "-c", ASKED], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
