r"""Writes what TRL's GRPO and GSPO losses give on fixed tensors; the losses here are tested on it.

    python -m venv trl-env && trl-env/bin/pip install -e '.[train]' trl==1.16.0
    trl-env/bin/python scripts/dev/make_trl_golden.py

TRL is no requirement of this project, so it is imported by name here and nowhere else. Its own
`GRPOTrainer._compute_loss` runs on a bare object that holds the settings it reads; only the forward
pass is replaced, by log-probabilities and entropies that are given.
"""

from __future__ import annotations

import argparse
import importlib
import json
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from pixel_env.files.whole_file import write_whole

OUT = Path(__file__).resolve().parents[2] / "tests" / "agents" / "golden" / "trl.json"
ROWS, LENGTH, GROUP, LONGEST = 8, 7, 4, 11
KINDS = ("grpo", "bnpo", "dr_grpo", "dapo")
SETTINGS: tuple[dict[str, Any], ...] = (
    {"level": "token", "clip_low": 0.2, "clip_high": 0.2, "kl": 0.0, "entropy": 0.0},
    {"level": "token", "clip_low": 0.2, "clip_high": 0.35, "kl": 0.04, "entropy": 0.0},
    {"level": "token", "clip_low": 0.1, "clip_high": 0.28, "kl": 0.0, "entropy": 0.02},
    # GSPO: first with the paper's clips, then with clips that keep one of the falls.
    {"level": "sequence", "clip_low": 3e-4, "clip_high": 4e-4, "kl": 0.0, "entropy": 0.0},
    {"level": "sequence", "clip_low": 0.1, "clip_high": 0.1, "kl": 0.04, "entropy": 0.0},
)


def main() -> None:
    """Computes every case and writes the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=OUT, metavar="FILE")
    out = parser.parse_args().out
    trl = importlib.import_module("trl")
    tensors = _tensors()
    tensors["advantages"] = _advantages(tensors["rewards"])
    cases = [
        {"kind": kind, **settings, "parts": _case(trl.GRPOTrainer, tensors, kind, settings)}
        for kind in KINDS
        for settings in SETTINGS
    ]
    written = {
        "made_by": f"scripts/dev/make_trl_golden.py with trl {trl.__version__}, torch "
        f"{torch.__version__.partition('+')[0]}",
        "longest": LONGEST,
        "tensors": {name: value.tolist() for name, value in tensors.items()},
        "cases": cases,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, json.dumps(written) + "\n")


def _tensors() -> dict[str, torch.Tensor]:
    """Draws two groups of four rollouts, with ratios on both sides of every clip of tokens."""
    rng = np.random.default_rng(20)
    behaviour = -rng.gamma(1.5, 0.7, (ROWS, LENGTH))
    trainable = rng.random((ROWS, LENGTH)) < 0.7
    trainable[:, 0] = True
    values = {
        "logprobs": np.minimum(behaviour + rng.normal(0, 0.3, (ROWS, LENGTH)), -0.001),
        "behaviour_logprobs": behaviour,
        "reference_logprobs": np.minimum(behaviour + rng.normal(0, 0.5, (ROWS, LENGTH)), -0.001),
        "entropy": rng.gamma(2.0, 0.5, (ROWS, LENGTH)),
        "trainable": trainable.astype(float),
        "rewards": np.array([[1.0, 0.0, 0.0875, 1.0], [0.0, -0.05, 1.0, 0.35]]),
    }
    return {name: torch.from_numpy(np.round(value, 6)) for name, value in values.items()}


def _advantages(rewards: torch.Tensor) -> torch.Tensor:
    """Scales rewards as `GRPOTrainer` does with scale_rewards="group", with TRL's own deviation."""
    deviation = importlib.import_module("trl.trainer.utils").nanstd(rewards, dim=1)
    mean = torch.nanmean(rewards, dim=1)
    scaled: torch.Tensor = (rewards - mean[:, None]) / (deviation[:, None] + 1e-4)
    return scaled.flatten()


def _case(
    trainer: Any, tensors: dict[str, torch.Tensor], kind: str, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """Runs the loss on the whole batch, and for "dapo" on two unequal micro-batches of it."""
    cuts = [(0, 3), (3, ROWS)] if kind == "dapo" else [(0, ROWS)]
    parts = []
    for start, stop in cuts:
        rows = slice(start, stop)
        logprobs = tensors["logprobs"][rows].clone().requires_grad_()
        entropy = tensors["entropy"][rows].clone().requires_grad_()
        mask = tensors["trainable"][rows]
        blank = torch.zeros((stop - start, LENGTH), dtype=torch.int64)
        loss = trainer._compute_loss(
            _bare_trainer(kind, settings, logprobs, entropy),
            None,
            {
                "prompt_ids": blank[:, :1],
                "prompt_mask": blank[:, :1],
                "completion_ids": blank,
                "completion_mask": torch.ones_like(mask),
                "tool_mask": mask,
                "advantages": tensors["advantages"][rows],
                "old_per_token_logps": tensors["behaviour_logprobs"][rows],
                "ref_per_token_logps": tensors["reference_logprobs"][rows],
                "num_items_in_batch": tensors["trainable"].sum(),
            },
        )
        loss.backward()
        parts.append(
            {
                "rows": [start, stop],
                "loss": loss.item(),
                "gradient": _grad(logprobs),
                "entropy_gradient": _grad(entropy),
            }
        )
    return parts


def _grad(leaf: torch.Tensor) -> list[list[float]] | None:
    return None if leaf.grad is None else leaf.grad.tolist()


def _bare_trainer(
    kind: str, settings: dict[str, Any], logprobs: torch.Tensor, entropy: torch.Tensor
) -> SimpleNamespace:
    """Returns what `_compute_loss` reads of its trainer, and nothing else."""
    return SimpleNamespace(
        _get_per_token_logps_and_entropies=lambda *_, **__: (logprobs, entropy, None),
        _entropy_bonus_enabled=settings["entropy"] > 0,
        _metrics=defaultdict(lambda: defaultdict(list)),
        accelerator=SimpleNamespace(
            num_processes=1,
            sync_gradients=True,
            gather=lambda value: value,
            gather_for_metrics=lambda value: value,
            reduce=lambda value, reduction: value,
        ),
        args=SimpleNamespace(delta=None, steps_per_generation=1, use_bias_correction_kl=False),
        aux_loss_enabled=False,
        beta=settings["kl"],
        current_gradient_accumulation_steps=1,
        entropy_coef=settings["entropy"],
        epsilon_high=settings["clip_high"],
        epsilon_low=settings["clip_low"],
        importance_sampling_level=settings["level"],
        loss_type=kind,
        max_completion_length=LONGEST,
        model=SimpleNamespace(training=True),
        off_policy_mask_threshold=None,
        top_entropy_quantile=1.0,
        use_adaptive_entropy=False,
        use_vllm=False,
    )


if __name__ == "__main__":
    main()
