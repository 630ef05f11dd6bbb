"""The benchmark goes on after a part that failed, and says so."""

from dataclasses import replace

import pytest
import torch

from pixel_env.agents.bench import bench as gpu_bench
from pixel_env.agents.bench.bench import ModelBench
from pixel_env.agents.bench.config import GpuBenchConfig
from pixel_env.agents.bench.device_meter import OUT_OF_MEMORY, OUT_OF_TIME, RAN, Deadline
from pixel_env.agents.bench.model_report import PARTS
from pixel_env.errors import ConfigError

TINY = GpuBenchConfig(
    models=("qwen3-vl-2b",),
    device="cpu",
    layers=1,
    small=True,
    groups=1,
    group_size=2,
    most_zooms=1,
    message_tokens=2,
    demonstrations=1,
)


def report(config=TINY, minutes=9.0, notes=None):
    note = (lambda *part: notes.append(part)) if notes is not None else lambda *part: None
    return ModelBench(config, config.models[0], Deadline(minutes), note).run()


def test_an_update_takes_the_demonstrations_where_the_rollout_ran_out_of_memory(monkeypatch):
    def exhausted(*args):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(gpu_bench.GroupRollouts, "run", exhausted)
    found = report(replace(TINY, train="all"))
    assert {part.name: part.status for part in found.parts} == {
        "rates": RAN,
        "float32 check": OUT_OF_MEMORY,
        "demonstrations": RAN,
        "build": RAN,
        "tower": RAN,
        "warm start": RAN,
        "rollout": OUT_OF_MEMORY,
        "check": "not run: there are no rollouts",
        "update": RAN,
        "gradients": "not run: there are no rollouts",
    }
    parts = {part.name: part for part in found.parts}
    assert parts["build"].numbers["trained weights"] == found.weights
    update = parts["update"]
    assert update.numbers["rollouts"] == 0
    assert update.numbers["tokens"] > 0
    assert update.estimated > 0
    assert not found.holds


def test_without_a_model_nothing_more_is_tried(monkeypatch):
    def exhausted(*args):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(gpu_bench, "random_model", exhausted)
    found = report()
    assert [part.status for part in found.parts] == [
        RAN, OUT_OF_MEMORY, RAN, OUT_OF_MEMORY, *["not run: there is no model"] * 6,
    ]  # fmt: skip


def test_a_pass_through_the_model_stops_when_the_time_is_spent(monkeypatch):
    notes = []
    deadline = Deadline(9.0)
    bench = ModelBench(TINY, "qwen3-vl-2b", deadline, lambda *part: notes.append(part))
    monkeypatch.setattr(
        bench, "_imitate", lambda: (setattr(deadline, "_minutes", 0.0), {"tokens": 1.0})[1]
    )
    statuses = [part.status for part in bench.run().parts]
    assert statuses[:6] == [RAN] * 6
    without = "not run: there are no rollouts"
    assert statuses[6:] == [OUT_OF_TIME, without, OUT_OF_TIME, without]
    assert notes == [("qwen3-vl-2b", part) for part in PARTS[:-1]]


def test_pictures_are_those_of_the_released_training_unless_it_is_small():
    whole = GpuBenchConfig().run("qwen2.5-vl-7b")
    assert whole.env_args["overview_px"] == (4 * 28 * 28, 2000 * 28 * 28)
    assert (whole.env_args["zoom_source"], whole.env_args["side_multiple"]) == ("view", 28)
    assert (whole.loading.lora.rank, whole.loading.dtype) == (32, "bfloat16")
    assert GpuBenchConfig().run("qwen3-vl-8b").env_args["side_multiple"] == 32
    assert TINY.run("qwen3-vl-2b").env_args["overview_px"][1] == 16 * 32 * 32


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"models": ("qwen2.5-vl-9b",)}, "Did you mean"),
        ({"models": ()}, "at least one model"),
        ({"train": "some"}, "train"),
        ({"group_size": 1}, "group_size >= 2"),
        ({"budget_minutes": 0.0}, "budget_minutes over 0"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        GpuBenchConfig(**settings)
