"""What a benchmark did in the terms of `memory_plan`, and what that estimates for each part."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.packing import SharedRow
from ..model.shapes import ModelShape
from ..run.config import RunConfig
from ..tokens.trajectory import TokenTrajectory
from ..training.micro_batches import micro_batches
from .memory_plan import Workload, plan


def workload(run: RunConfig, trajectories: Sequence[TokenTrajectory]) -> Workload:
    """Returns the workload of a run on one GPU whose trajectories are like these.

    Args:
        run: the settings.
        trajectories: at least one; lengths and pictures are their means.
    """
    n = len(trajectories)
    firsts = operations = operation_tokens = 0
    for each in trajectories:
        opening = each.turns[0].stop
        for image, start in zip(each.images, each.image_starts, strict=True):
            if start < opening:
                firsts += image.n_tokens
            else:
                operations += 1
                operation_tokens += image.n_tokens
    sampled = sum(turn.stop - turn.start for t in trajectories for turn in t.turns[1::2])
    prompts = sum(len(each) for each in trajectories) - sampled - firsts - operation_tokens
    rl = run.on_policy
    tokens, share = _fullest(trajectories, rl.tokens_per_micro_batch)
    return Workload(
        dtype=run.loading.dtype,
        lora_rank=run.loading.lora.rank,
        gradient_checkpointing=run.loading.gradient_checkpointing,
        tokens_per_micro_batch=tokens,
        image_share=share,
        queries=rl.groups_per_iteration,
        groups_per_iteration=rl.groups_per_iteration,
        group_size=rl.group_size,
        lanes=run.lanes,
        lanes_at_once=rl.generation.lanes_at_once,
        replay_capacity=rl.replay_capacity,
        image_tokens=round(firsts / n),
        prompt_tokens=round(prompts / n),
        response_tokens=round(sampled / n),
        operations=operations / n,
        operation_tokens=round(operation_tokens / operations) if operations else 0,
    )


def estimates(shape: ModelShape, load: Workload) -> dict[str, float]:
    """Returns the bytes by the plan for the parts of a benchmark, by their names.

    While rolling out, AdamW's state isn't there yet: it comes with the first update.
    """
    made = plan(shape, load)
    always, update = sum(made.always.values()), sum(made.update.values())
    weights = always - made.always["optimizer"]
    return {
        "build": weights,
        "warm start": always + update,
        "rollout": weights + sum(made.generate.values()),
        "update": always + update,
    }


def _fullest(trajectories: Sequence[TokenTrajectory], max_tokens: int) -> tuple[int, float]:
    """Returns the tokens of the largest micro-batch, and its share of picture tokens."""
    found = []
    for part in micro_batches(trajectories, max_tokens):
        row = SharedRow()
        images: dict[int, int] = {}
        for each in (trajectories[index] for index in part):
            row.add(each)
            images |= {id(image): image.n_tokens for image in each.images}
        found.append((row.length, sum(images.values()) / row.length))
    return max(found)
