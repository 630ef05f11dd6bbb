"""Whole steps of verl's trainer on a CPU; what they replace is in `verl_on_cpu.py`.

Needs verl 0.9.1 with its own pins (transformers under 5.11) and TransferQueue, takes minutes, and
runs by name:

    pytest tests/agents/verl/test_trainer.py -m slow
"""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from pixel_env.__main__ import main
from pixel_env.curiosity import group_rewards

ROOT = Path(__file__).resolve().parents[3]
PINNED = tuple(map(int, version("transformers").split(".")[:2])) < (5, 11)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not find_spec("verl") or not find_spec("transfer_queue"), reason="no verl"),
    pytest.mark.skipif(not PINNED, reason="verl 0.9.1 imports what transformers 5.11 has no more"),
]

G = 4
STEPS = 2
CALL = "<tool_call>\n{"
"""How the scripted zoom begins; feedback that explains the tags has them too."""

MODEL, ACTOR, ROLLOUT = (f"actor_rollout_ref.{name}" for name in ("model", "actor", "rollout"))
SETTINGS = {
    "data.train_batch_size": 2,
    "data.max_prompt_length": 1024,
    "data.max_response_length": 1024,
    "data.dataloader_num_workers": 0,
    "+ray_kwargs.ray_init.num_gpus": 1,  # of which there is none: the platform is a CPU
    "ray_kwargs.ray_init.num_cpus": 8,
    "+ray_kwargs.ray_init.include_dashboard": False,
    f"{MODEL}.path": ROOT / "agents" / "base_weights",
    f"{MODEL}.use_remove_padding": False,  # flash-attn's
    f"+{MODEL}.override_config.attn_implementation": "sdpa",
    f"{MODEL}.enable_gradient_checkpointing": False,
    f"{ACTOR}.ppo_mini_batch_size": 2,
    f"{ACTOR}.use_dynamic_bsz": False,
    f"{ACTOR}.ppo_micro_batch_size_per_gpu": 2,
    f"{ACTOR}.use_torch_compile": False,
    f"{ACTOR}.fsdp_config.use_torch_compile": False,
    f"{ACTOR}.fsdp_config.param_offload": False,
    f"{ACTOR}.fsdp_config.optimizer_offload": False,
    f"+{ACTOR}.fsdp_config.mixed_precision": (
        "{param_dtype:fp32,reduce_dtype:fp32,buffer_dtype:fp32}"
    ),
    f"{ACTOR}.optim.lr": 1e-3,
    f"{ACTOR}.optim.lr_warmup_steps_ratio": 0.0,
    f"{ACTOR}.optim.lr_scheduler_type": "constant",
    f"{ROLLOUT}.name": "pixel_reason_engine",
    f"{ROLLOUT}.n": G,
    f"{ROLLOUT}.log_prob_use_dynamic_bsz": False,
    f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu": 2,
    f"{ROLLOUT}.dtype": "float32",
    f"{ROLLOUT}.agent.num_workers": 1,
    "reward.num_workers": 1,
    "transfer_queue.backend.SimpleStorage.num_data_storage_units": 1,
    "trainer.n_gpus_per_node": 1,
    "trainer.device": "cpu",
    "trainer.total_training_steps": STEPS,
    "trainer.val_before_train": False,
    "trainer.test_freq": -1,
    "trainer.save_freq": -1,
    "trainer.logger": "[console]",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(what the steps logged, the rollouts of each step), of the recipe made small."""
    folder = tmp_path_factory.mktemp("verl")
    rows = folder / "rows.parquet"
    given = ["--env", "PixelReason-SmallSearch-v0", "--env-arg", "options=true"]
    assert main(["rows", *given, "--system", "none", "--n", "8", "--out", str(rows)]) == 0
    settings = SETTINGS | {"data.train_files": rows, "data.val_files": rows}
    settings |= {"trainer.rollout_data_dir": folder / "rollouts"}
    settings |= {"trainer.default_local_dir": folder / "checkpoints"}
    settings |= {"hydra.run.dir": folder / "hydra"}
    command = [sys.executable, "-m", "verl.trainer.main_ppo"]
    command += ["--config-dir", "configs", "--config-name", "verl_7b_8_gpus"]
    paths = [ROOT, ROOT / "tests", ROOT / "tests" / "agents"]
    env = {
        **os.environ,
        "VERL_USE_EXTERNAL_MODULES": "verl_on_cpu",
        "VERL_PLATFORM": "cpu",
        "VERL_ENGINE_DEVICE": "cuda",  # the engine is registered for accelerators only
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [*command, *(f"{name}={value}" for name, value in settings.items())],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    logged = [
        {
            name: float(value)
            for name, value in re.findall(r"([\w/]+):(?:np\.\w+\()?(-?[\d.e-]+)", line)
        }
        for line in re.findall(r"step:\d+ - .*", done.stdout)
    ]
    files = sorted((folder / "rollouts").glob("*.jsonl"), key=lambda path: int(path.stem))
    rollouts = [[json.loads(line) for line in file.read_text().splitlines()] for file in files]
    return logged, rollouts


def test_every_step_updates_the_policy_and_the_server_samples_from_it(run):
    logged, _ = run
    assert len(logged) == STEPS
    for step in logged:
        assert step["actor/grad_norm"] > 0
        assert step["actor/lr"] == 1e-3
        assert step["training/num_turns/max"] == 4  # two messages, and what they were shown
        # our engine's probabilities are those of verl's own forward pass, also after an update
        assert step["training/rollout_probs_diff_max"] < 1e-3
        assert step["training/rollout_probs_diff_valid"] == 1


def test_rewards_hold_the_curiosity_of_their_groups(run):
    _, rollouts = run
    for step in rollouts:
        assert len(step) == 2 * G
        for prompt in {each["input"] for each in step}:
            group = [each for each in step if each["input"] == prompt]
            n_calls = [each["output"].count(CALL) for each in group]
            right = [each["score"] > 0.5 for each in group]
            expected = group_rewards(right, n_calls).rewards
            assert [each["score"] for each in group] == pytest.approx(expected.tolist())
        paid = [each["score"] % 1 for each in step if CALL in each["output"]]
        assert paid == pytest.approx([0.5 * (0.3 - 1 / G)])  # the one of its four that zoomed
