"""One policy under every control, on the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

from pixel_env.controls.controls import CONTROLS, DemonstrationCrop
from pixel_env.files.lock import only_writer

from ..policies.base import Policy
from .control_scores import ControlScores, compare
from .evaluate import Evaluation, EvaluationConfig, OnResult, evaluate, write_report
from .folder import EvaluationFolder
from .results import EpisodeResult


def applicable_controls(results: Sequence[EpisodeResult]) -> tuple[str, ...]:
    """Names the controls that can do something: the evidence must be known to be shown."""
    known = any(result.coverage is not None for result in results)
    return tuple(
        name
        for name, control in CONTROLS.items()
        if known or not issubclass(control, DemonstrationCrop)
    )


def evaluate_controls(
    policy: Policy,
    config: EvaluationConfig,
    uncontrolled: Evaluation,
    on_result: OnResult | None = None,
) -> tuple[ControlScores, ...]:
    """Evaluates a policy under each control that applies and adds them to the report.

    Each run is an evaluation of its own, in `controls/NAME` of the folder; one that was stopped
    goes on.

    Args:
        policy: what acts.
        config: what `uncontrolled` was evaluated on, without a control.
        uncontrolled: the run without a control.
        on_result: called for each episode of each run.

    Raises:
        ConfigError: as `evaluate`.
    """
    with only_writer(config.out) if config.out else nullcontext():
        return _evaluated(policy, config, uncontrolled, on_result)


def _evaluated(
    policy: Policy,
    config: EvaluationConfig,
    uncontrolled: Evaluation,
    on_result: OnResult | None,
) -> tuple[ControlScores, ...]:
    found = []
    for name in applicable_controls(uncontrolled.results):
        out = None if config.out is None else config.out / "controls" / name
        under = replace(config, control=(name,), out=out)
        controlled = evaluate(policy, under, on_result)
        found.append(compare(name, uncontrolled.results, controlled.results))
    controls = tuple(found)
    if config.out is not None:
        folder = EvaluationFolder(config.out, uncontrolled.manifest)
        write_report(uncontrolled, folder, controls)
    return controls
