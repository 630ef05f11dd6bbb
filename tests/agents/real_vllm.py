"""Opens a random model in the real vLLM, samples, pushes weights; prints what was found as JSON.

    python tests/agents/real_vllm.py qwen3_vl FOLDER

A process of its own for each model: vLLM keeps its groups of processes until the end.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from pixel_env.agents.bench.random_model import random_model
from pixel_env.agents.engines.settings import VllmSettings
from pixel_env.agents.engines.vllm_model import VllmModel
from pixel_env.agents.engines.vllm_session import VllmSession
from pixel_env.agents.engines.weights import named_weights
from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.model.loading import LoadedModel, add_adapters, export
from pixel_env.agents.model.scoring import score
from pixel_env.agents.model.settings import LoraSettings, ModelSettings
from pixel_env.agents.model.shapes import ModelShape
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.dialects import get_dialect
from pixel_env.types import Observation

SHAPES = {
    "qwen2_5_vl": ModelShape("qwen2_5_vl", 256, 4, 2, 1, 128, 512, 4096, True, 4, 256, 512),
    "qwen3_vl": ModelShape(
        "qwen3_vl", 256, 4, 2, 1, 128, 512, 4096, True, 4, 256, 512, patch=16, vision_positions=256
    ),
}
CONFIG = GenerationConfig(max_new_tokens=24, max_context=1200, temperature=0.8)
LANES = range(4)


def shown(side, turn, lane):
    """A picture of noise; one image token is the smallest."""
    rng = np.random.default_rng([turn, lane if turn else 0])
    rows, columns = ((6, 5), (1, 1), (2, 7))[turn]
    return Observation(
        question="Which colour is the ball?", choices=(), turn=turn, turns_left=3 - turn,
        images=(rng.integers(0, 256, (rows * side, columns * side, 3), np.uint8),),
        first_image=1 + turn, feedback="", n_frames=0,
    )  # fmt: skip


def played(session, side):
    for lane in LANES:
        session.begin(lane, lane)
    for turn in range(3):
        session.hear([shown(side, turn, lane) for lane in LANES], LANES)
        session.speak(LANES)
    return [session.end(lane).build() for lane in LANES]


def gap(model, encoder, rollouts):
    with torch.no_grad():
        scores = score(model, rollouts, encoder, CONFIG.temperature).logprobs.numpy()
    pairs = zip(scores, rollouts, strict=True)
    return max(float(np.abs(row[: len(each)] - each.logprobs).max()) for row, each in pairs)


@torch.no_grad()
def shake(model, share, seed):
    """Changes every trained weight by about a share of it."""
    torch.manual_seed(seed)
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            size = 0.02 if "lora_B" in name else share * weight.std()
            weight.add_(torch.randn_like(weight) * size)


def main(architecture, folder):
    loaded = random_model(SHAPES[architecture], ModelSettings())
    model, processor = loaded.model, loaded.image_processor
    encoder = Encoder(loaded.tokenizer, processor, get_dialect("pixel-reasoner"), "none")
    shake(model, 2.0, seed=0)  # else every token is nearly as likely as any other
    export(LoadedModel(model, loaded.tokenizer, processor), folder)
    vllm = VllmModel.open(folder, encoder, CONFIG, VllmSettings(cache_gib=0.5))
    now = {"model": model}
    session = VllmSession(vllm, encoder, CONFIG, lambda: named_weights(now["model"]))
    side = processor.patch_size * processor.merge_size
    first = played(session, side)
    found = {"opened": gap(model, encoder, first)}
    found["repeats"] = all(
        one.ids.tolist() == two.ids.tolist()
        for one, two in zip(first, played(session, side), strict=True)
    )
    shake(model, 0.3, seed=1)
    found["stale"] = gap(model, encoder, played(session, side))
    session.update_weights()
    second = played(session, side)
    found["pushed"] = gap(model, encoder, second)
    found["changed"] = all(
        one.ids.tolist() != two.ids.tolist() for one, two in zip(first, second, strict=True)
    )
    now["model"] = add_adapters(model, LoraSettings(rank=4)).eval()
    shake(now["model"], 0.3, seed=2)
    found["stale adapters"] = gap(now["model"], encoder, played(session, side))
    session.update_weights()
    found["adapters"] = gap(now["model"], encoder, played(session, side))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
