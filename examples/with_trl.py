"""GRPO with zooms as tools and the curiosity bonus as a reward, run with trl 1.16.0.

pixel-reason rows --env PixelReason-SyntheticSearch-v0 --n 2000 --out rows.jsonl
python examples/with_trl.py Qwen/Qwen2.5-VL-7B-Instruct rows.jsonl
"""

import json
import sys
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoProcessor
from trl import GRPOConfig, GRPOTrainer

from pixel_env.agents.adapters.trl import curiosity, dataset_row, environment_class, score
from pixel_env.agents.adapters.trl_template import prepare

model, rows, steps = sys.argv[1], Path(sys.argv[2]), int((sys.argv[3:] or [1000])[0])
lines = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
config = GRPOConfig(
    output_dir="runs/trl", max_steps=steps, learning_rate=1e-6, logging_steps=1, report_to="none",
    num_generations=8, per_device_train_batch_size=8, scale_rewards="none", epsilon_high=0.35,
    max_completion_length=8192,  # all messages, feedback and pictures after the first one
    max_tool_calling_iterations=4,  # the environment's max_turns less the answer
    bf16=torch.cuda.is_available(), use_cpu=not torch.cuda.is_available(),
)  # fmt: skip
trainer = GRPOTrainer(
    model=model,
    processing_class=prepare(AutoProcessor.from_pretrained(model)),
    args=config,
    train_dataset=Dataset.from_list([dataset_row(line) for line in lines]),
    environment_factory=environment_class("pixel-reasoner"),
    reward_funcs=[score, curiosity(config.num_generations)],
)
trainer.train()
*_, last, _ = trainer.state.log_history
print(f"score {last['rewards/score/mean']}, {last['tools/call_frequency']} calls a rollout")
