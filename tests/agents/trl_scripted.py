"""TRL's own GRPO trainer on the tiny policy, whose responses are written by a test."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from typing import Any

import gymnasium as gym
import numpy as np
from datasets import Dataset
from transformers import AutoProcessor, Qwen2_5_VLForConditionalGeneration
from trl import GRPOConfig, GRPOTrainer

from pixel_env.agents.adapters.trl import curiosity, dataset_row, environment_class, score
from pixel_env.agents.adapters.trl_template import prepare
from pixel_env.agents.model.folders import BASE_WEIGHTS
from pixel_env.chat.rows import row_of
from pixel_env.dialects import get_dialect

DIALECT = "pixel-reasoner"


def processor() -> Any:
    return prepare(AutoProcessor.from_pretrained(BASE_WEIGHTS))


def line(env_id: str, env_args: dict[str, Any], index: int) -> dict[str, Any]:
    """Makes a line of TRL's dataset; one whose sample is at fault has no row of its own."""
    row = {"env_id": env_id, "env_args": json.dumps(env_args), "dialect": DIALECT}
    row |= {"sample_index": index, "prompt": [{"role": "system", "content": "Zoom, or answer."}]}
    return dataset_row(row)


def real_line(env_id: str, env_args: dict[str, Any], index: int, system: str) -> dict[str, Any]:
    """Makes a line as `pixel-reason rows` writes it."""
    env = gym.make(env_id, **env_args).unwrapped
    row = row_of(env, index, get_dialect(DIALECT), system, env_id, env_args)
    return dataset_row(dataclasses.asdict(row))


class ScriptedTrainer(GRPOTrainer):
    """Answers with texts instead of sampling, and keeps what it was handed.

    Attributes:
        scripts: for each rollout of the batch its responses, one after the other; None: sampled.
        batch: what the loss gets, with the rewards, environments and messages of the rollouts.
    """

    scripts: list[list[str]] | None = None

    def _generate_and_score_completions(self, inputs):
        self._turn = 0
        self.batch = super()._generate_and_score_completions(inputs)
        return dict(self.batch)

    def _generate_single_turn(self, prompt_ids, images, multimodal_fields, *args, **settings):
        if self.scripts is None:
            return super()._generate_single_turn(
                prompt_ids, images, multimodal_fields, *args, **settings
            )
        turn, tokenizer = self._turn, self.processing_class.tokenizer
        self._turn += 1
        # Only rollouts with a call in their last response go on, in their order.
        going = [script for script in self.scripts if len(script) > turn]
        assert len(going) == len(prompt_ids)
        ids = [
            tokenizer.encode(script[turn], add_special_tokens=False, split_special_tokens=True)
            for script in going
        ]
        return [[*each, tokenizer.eos_token_id] for each in ids], None

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        self.paid = rewards.clone()
        self.prompts, self.completions = prompts, completions
        return rewards


def trainer(lines, out, scripts=None, num_generations=4, **settings) -> ScriptedTrainer:
    """Makes a trainer of one step, with our rewards."""
    made = ScriptedTrainer(
        model=Qwen2_5_VLForConditionalGeneration.from_pretrained(BASE_WEIGHTS),
        reward_funcs=[score, curiosity(num_generations)],
        args=GRPOConfig(
            output_dir=str(out),
            per_device_train_batch_size=num_generations * len(lines),
            num_generations=num_generations,
            max_completion_length=2048,
            max_steps=1,
            learning_rate=1e-3,
            max_tool_calling_iterations=5,
            shuffle_dataset=False,
            report_to=[],
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            save_strategy="no",
            disable_tqdm=True,
            **settings,
        ),
        train_dataset=Dataset.from_list(lines),
        processing_class=processor(),
        environment_factory=environment_class(DIALECT),
    )
    made.scripts = scripts
    return made


def pictures_of(messages) -> list[np.ndarray]:
    """Returns the pictures of messages, whose content may be text."""
    contents = [message["content"] for message in messages]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return [np.asarray(part["image"]) for part in parts if part["type"] == "image"]


def play(env_id, env_args, index, messages):
    """Plays a scripted episode; TRL wants two rollouts of a group, so both play it."""
    with tempfile.TemporaryDirectory() as out:
        made = trainer([line(env_id, env_args, index)], out, [messages] * 2, num_generations=2)
        made.train()
    completion = made.completions[0]
    texts = ["".join(_texts(message)) for message in completion if message["role"] == "tool"]
    left_out = bool(made.paid[0].isnan().all()) and float(made.batch["advantages"][0]) == 0.0
    rewards = [] if left_out else [float(made.paid[0][0])]
    return rewards, texts, pictures_of([*made.prompts[0], *completion]), left_out


def _texts(message):
    return [part["text"] for part in message["content"] if part["type"] == "text"]
