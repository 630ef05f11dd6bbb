"""Counted bytes against hand calculation, estimated ones against what autograd keeps."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_models import ARCHITECTURES, observation, picture, tiny_encoder, tiny_model

from pixel_env import ConfigError
from pixel_env.agents.bench.memory_plan import GIB, GPUS, Workload, hours, plan
from pixel_env.agents.model.scoring import score
from pixel_env.agents.model.shapes import SHAPES, shape_of
from pixel_env.agents.tokens.trajectory import TrajectoryBuilder

SEVEN = SHAPES["Qwen/Qwen2.5-VL-7B-Instruct"]
N = 8_292_166_656


def test_weights_optimizer_and_gradients_of_the_7b():
    whole = plan(SEVEN, Workload(dtype="float32"))
    assert whole.always == {"weights": 4 * N, "optimizer": 8 * N}
    assert whole.update["gradients"] == 4 * N
    spread = plan(SEVEN, Workload(n_gpus=8, dtype="float32", compute="bfloat16", sharding=True))
    assert sum(spread.always.values()) == 2 * N + (4 + 8) * N / 8
    assert spread.update["gradients"] == 4 * N + 4 * N / 8
    adapted = plan(SEVEN, Workload(lora_rank=8))
    assert sum(adapted.always.values()) == 2 * N + 12 * SEVEN.adapter_weights(8)


def test_the_cache_holds_the_lanes_in_progress():
    load = Workload(
        n_gpus=4, groups_per_iteration=16, image_tokens=500, operation_tokens=300, operations=0.5,
        prompt_tokens=100, response_tokens=50,
    )  # fmt: skip
    tokens = 500 + 150 + 100 + 50
    cache = plan(SEVEN, load).generate["cache of keys and values"]
    assert cache == 4 * 8 * tokens * 56 * 1024
    fewer = plan(SEVEN, replace(load, lanes=16)).generate["cache of keys and values"]
    assert fewer == cache / 2


def test_pictures_are_on_the_host_once_for_a_group():
    load = Workload(groups_per_iteration=3, group_size=4, replay_capacity=0, operations=0.0)
    pictures = plan(SEVEN, load).host["pictures of an iteration"]
    assert pictures == 3 * 2000 * 4 * (3 * 2 * 14 * 14 * 4)  # 4 patches a token, in float32


def test_a_gpu_holds_update_and_sampling_in_turns():
    made = plan(SEVEN, Workload(lora_rank=32, groups_per_iteration=8))
    update, sampling = sum(made.update.values()), sum(made.generate.values())
    assert made.peak == sum(made.always.values()) + max(update, sampling)


def test_the_7b_does_not_fit_whole_on_80_gib_and_does_with_adapters_or_spread():
    assert plan(SEVEN, Workload(dtype="float32", lanes=64)).peak > 80 * GIB
    assert plan(SEVEN, Workload(lora_rank=32, lanes=64)).peak < 60 * GIB
    spread = Workload(n_gpus=8, dtype="float32", compute="bfloat16", sharding=True, lanes=64)
    assert plan(SEVEN, spread).peak < 80 * GIB


def bytes_kept(model, trajectory, encoder):
    """What autograd keeps of one forward pass, without the weights."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept, alive = {}, []

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # or its place would be taken by the next one
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        score(model, [trajectory], encoder)
    return sum(kept.values())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("n_pictures", [0, 1])
def test_activations_are_about_what_autograd_keeps(architecture, n_pictures):
    torch.set_num_threads(1)
    model, encoder = tiny_model(architecture).train(), tiny_encoder(architecture, "none")
    rng = np.random.default_rng(0)
    record = TrajectoryBuilder()
    shown = [picture(rng, architecture, 8, 8)] * n_pictures
    record.add_prompt(encoder.open(observation("which ball" * 30, shown)))
    record.add_response(encoder.message_ids("x"))
    trajectory = record.build()
    load = Workload(
        dtype="float32",
        gradient_checkpointing=False,
        tokens_per_micro_batch=len(trajectory),
        image_share=64 * n_pictures / len(trajectory),
        group_size=1,
    )
    update = plan(shape_of(model.config), load).update
    estimated = sum(value for name, value in update.items() if name.startswith("activations"))
    assert estimated == pytest.approx(bytes_kept(model, trajectory, encoder), rel=0.2)


def test_checkpointing_keeps_the_inputs_of_layers_and_one_layer():
    most = plan(SEVEN, Workload(gradient_checkpointing=False)).update
    least = plan(SEVEN, Workload()).update
    name = "activations, language model"
    assert least[name] == 28 * 16_384 * 3584 * 2 + most[name] / 28


def test_hours_by_hand():
    load = Workload(
        queries=100, group_size=8, lanes=80, lanes_at_once=80, response_tokens=100, image_tokens=0,
        operations=0.0, prompt_tokens=100, groups_per_iteration=100, gradient_checkpointing=False,
    )  # fmt: skip
    gpu = GPUS["a100-80"]
    made = hours(SEVEN, load, gpu)
    read = (2 * N + 80 * 200 * 56 * 1024) / (2.04e12 * 0.5)  # under 28 layers of 1 ms
    assert read < 0.028
    assert made.generate == pytest.approx(10 * 100 * 0.028 / 3600)
    # 100 sampled tokens a rollout, and an eighth of the group's prompt of 100
    assert made.update == pytest.approx(800 * 112.5 * 6 * N / (312e12 * 0.35) / 3600)
    assert made.hours == made.generate + made.update


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_gpus": 0}, "n_gpus"),
        ({"dtype": "int8"}, "int8"),
        ({"sharding": True, "lora_rank": 4}, "sharding or adapters"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        Workload(**settings)
