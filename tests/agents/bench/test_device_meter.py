"""Parts are measured, and those that fail are reported by what failed."""

import pytest
import torch

from pixel_env.agents.bench.device_meter import (
    OUT_OF_MEMORY,
    OUT_OF_TIME,
    RAN,
    Deadline,
    DeviceMeter,
    MeasuredPart,
    OutOfTime,
)
from pixel_env.errors import ConfigError


def raising(fault):
    def work():
        raise fault

    return work


def meter(minutes=1.0):
    return DeviceMeter("cpu", Deadline(minutes))


def test_a_part_that_ran_has_seconds_and_numbers_and_no_memory_on_a_cpu():
    part = meter().measure("rollout", lambda: {"tokens": 6.0})
    assert (part.name, part.status, part.allocated, part.reserved) == ("rollout", RAN, None, None)
    assert part.seconds > 0
    assert part.tokens_per_second == 6.0 / part.seconds


def test_seconds_of_its_own_count_for_the_rate():
    part = meter().measure("warm start", lambda: {"tokens": 6.0, "seconds": 2.0})
    assert part.tokens_per_second == 3.0
    assert (
        MeasuredPart("update", OUT_OF_MEMORY, 1.0, numbers={"tokens": 6.0}).tokens_per_second != 3.0
    )


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), OUT_OF_MEMORY),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), OUT_OF_MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), OUT_OF_MEMORY),
        (RuntimeError("shapes differ\nat line 3"), "failed: RuntimeError: shapes differ"),
        (OutOfTime(), OUT_OF_TIME),
    ],
)
def test_a_part_that_fails_is_reported(fault, status):
    part = meter().measure("update", raising(fault))
    assert part.status == status
    assert part.tokens_per_second != part.tokens_per_second, "no number"


def test_a_mistake_of_ours_is_raised():
    with pytest.raises(ConfigError, match="no such thing"):
        meter().measure("update", raising(ConfigError("no such thing")))


def test_nothing_begins_when_the_time_is_spent():
    part = meter(minutes=1e-9).measure("update", raising(ConfigError("it began")))
    assert part.status == OUT_OF_TIME
