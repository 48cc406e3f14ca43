"""The numerical tests run on less than this processor has: ``make test-processors``."""

import os

import pytest
import torch

ASKED = os.environ.get("ATEN_CPU_CAPABILITY")


@pytest.mark.skipif(not ASKED, reason="no instruction set is asked for")
def test_torch_uses_the_instructions_that_were_asked_for():
    assert torch.backends.cpu.get_cpu_capability() == ASKED.upper()
