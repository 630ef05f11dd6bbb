"""Results of episodes that never ran."""

from __future__ import annotations

from pixel_env.agents.evaluation.results import EpisodeResult


def result(
    index, correct=False, calls=0, errors=0, category="a", truncated=False, fault="", **fields
):
    return EpisodeResult(
        index=index,
        sample_id=str(index),
        category=category,
        answer=None if truncated or fault else "A",
        parsed=None,
        score=fields.pop("score", float(correct)),
        correct=correct,
        n_calls=calls,
        n_operations=calls - errors,
        n_operation_errors=errors,
        n_turns=calls + 1,
        truncated=truncated,
        env_error=fault,
        **fields,
    )
