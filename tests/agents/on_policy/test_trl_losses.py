"""The losses and advantages are those of TRL's GRPO and GSPO on the same tensors, with gradients.

`scripts/dev/make_trl_golden.py` wrote the file, and names TRL's version in it; nothing of TRL is
needed here.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pixel_env.agents.on_policy.advantages import group_advantages
from pixel_env.agents.on_policy.losses import LossConfig, TokenBatch, loss_normaliser, policy_loss

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "trl.json").read_text())
TENSORS = {name: torch.tensor(v, dtype=torch.float64) for name, v in GOLDEN["tensors"].items()}
COUNTS = TENSORS["trainable"].sum(-1).int().tolist()
NORMALISERS = {
    "grpo": loss_normaliser(COUNTS, "sequence"),
    "bnpo": loss_normaliser(COUNTS, "token"),
    "dapo": loss_normaliser(COUNTS, "token"),
    "dr_grpo": len(COUNTS) * GOLDEN["longest"],
}
CLOSE = {"atol": 1e-6, "rtol": 1e-6}


def name(case):
    return f"{case['kind']}-{case['level']}-kl{case['kl']}-entropy{case['entropy']}"


def ours(case, part):
    """Our loss and what it was computed from, with the rows of one of TRL's micro-batches."""
    rows = slice(*part["rows"])
    inputs = {key: value[rows].clone() for key, value in TENSORS.items() if key != "rewards"}
    for leaf in ("logprobs", "entropy"):
        inputs[leaf].requires_grad_()
    inputs["trainable"] = inputs["trainable"] > 0
    config = LossConfig(
        clip_low=case["clip_low"],
        clip_high=case["clip_high"],
        reduction="sequence" if case["kind"] == "grpo" else "token",
        kl_coefficient=case["kl"],
        entropy_coefficient=case["entropy"],
        ratio_level=case["level"],
    )
    loss, sums = policy_loss(TokenBatch(**inputs), config, NORMALISERS[case["kind"]])
    loss.backward()
    return loss, sums, inputs


PLAIN = [case for case in GOLDEN["cases"] if not case["entropy"]]


@pytest.mark.parametrize("case", PLAIN, ids=name)
def test_value_and_gradient_are_those_of_trl(case):
    for part in case["parts"]:
        loss, _, inputs = ours(case, part)
        assert loss.item() == pytest.approx(part["loss"], abs=1e-6)
        expected = torch.tensor(part["gradient"], dtype=torch.float64)
        assert expected.abs().max() > 0.01
        torch.testing.assert_close(inputs["logprobs"].grad, expected, **CLOSE)


def test_the_entropy_bonus_is_that_of_trl_where_tokens_count_alike():
    """TRL weighs entropies by token whatever the loss; of ours, "token" over one batch does so."""
    (case,) = [c for c in GOLDEN["cases"] if c["entropy"] and c["kind"] == "bnpo"]
    (part,) = case["parts"]
    loss, _, inputs = ours(case, part)
    assert loss.item() == pytest.approx(part["loss"], abs=1e-6)
    for leaf, key in (("logprobs", "gradient"), ("entropy", "entropy_gradient")):
        expected = torch.tensor(part[key], dtype=torch.float64)
        torch.testing.assert_close(inputs[leaf].grad, expected, **CLOSE)


def test_the_tensors_reach_every_branch_of_the_loss():
    for case in PLAIN:
        n_clipped = sum(ours(case, part)[1].n_clipped for part in case["parts"])
        assert 2 < n_clipped < sum(COUNTS) - 2, name(case)
    for level in ("token", "sequence"):
        settings = {(case["kl"] > 0, case["clip_high"]) for case in PLAIN if case["level"] == level}
        assert {weighs_kl for weighs_kl, _ in settings} == {True, False}
        assert len({clip for _, clip in settings}) == 2
    assert {case["clip_low"] for case in PLAIN} >= {3e-4, 0.2}  # GSPO's own, and PPO's


def test_advantages_are_those_of_trl():
    got = group_advantages(GOLDEN["tensors"]["rewards"], kind="mean_std").ravel()
    np.testing.assert_allclose(got, GOLDEN["tensors"]["advantages"], **CLOSE)
