"""Trajectories counted by hand give the workload; the plan's sums are its parts'."""

import numpy as np

from pixel_env.agents.bench.config import GpuBenchConfig
from pixel_env.agents.bench.memory_plan import plan
from pixel_env.agents.bench.workload import estimates, workload
from pixel_env.agents.model.shapes import SHAPES
from pixel_env.agents.tokens.trajectory import EncodedImage, Piece, TrajectoryBuilder

SEVEN = SHAPES["Qwen/Qwen2.5-VL-7B-Instruct"]


def image(rows, columns, grey=0):
    """A picture of rows x columns tokens, in one grey."""
    patches = np.full((4 * rows * columns, 1), grey, np.float32)
    return EncodedImage(patches, (1, 2 * rows, 2 * columns))


def trajectory(first, crops):
    """30 tokens of text around the first picture, 5 around each crop, 10 sampled a turn."""
    record = TrajectoryBuilder()
    for turn, shown in enumerate([first, *crops]):
        n_text = 30 if turn == 0 else 5
        record.add_prompt(Piece(np.zeros(n_text + shown.n_tokens, np.int64), (shown,), (3,)))
        record.add_response(np.ones(10, np.int64))
    return record.build(sample_id="s")


def test_the_workload_of_trajectories_by_hand():
    first = image(5, 8)  # 40 tokens, shared
    crops = [image(3, 4, grey=1)], [image(3, 4, grey=2), image(2, 4)]
    rollouts = [trajectory(first, shown) for shown in crops]
    assert [len(each) for each in rollouts] == [107, 130]
    run = GpuBenchConfig(groups=3, group_size=2, tokens_per_micro_batch=260).run("qwen2.5-vl-7b")
    load = workload(run, rollouts)
    assert (load.image_tokens, load.operations, load.operation_tokens) == (40, 1.5, 11)  # 32 / 3
    assert (load.response_tokens, load.prompt_tokens) == (25, 38)  # 50 / 2, (35 + 40) / 2
    assert (load.groups_per_iteration, load.group_size, load.lora_rank) == (3, 2, 32)
    assert (load.dtype, load.gradient_checkpointing) == ("bfloat16", True)
    # 40 + 30 tokens of the opening and the 10 of the first message, which are equal, count once.
    assert load.tokens_per_micro_batch == 107 + 130 - 80
    assert load.image_share == (40 + 12 + 12 + 8) / 157


def test_parts_are_estimated_by_what_is_there_in_them():
    run = GpuBenchConfig(train="all").run("qwen2.5-vl-7b")
    load = workload(run, [trajectory(image(5, 8), [image(3, 4)])])
    known, made = estimates(SEVEN, load), plan(SEVEN, load)
    assert known["build"] == 2 * SEVEN.weights
    assert known["update"] == 2 * SEVEN.weights * 4 + sum(
        value for name, value in made.update.items() if name != "gradients"
    )
    assert known["rollout"] == 2 * SEVEN.weights + sum(made.generate.values())
