"""Episodes as tokens, and what transformers' own forward pass gives for them."""

import numpy as np
import torch
from tiny_models import VOCABULARY, observation, picture, tiny_encoder

from pixel_env.agents.tokens.trajectory import TrajectoryBuilder


def episode(architecture, seed=0, n_turns=3, shared=None):
    """A demonstration of several turns with pictures of different sizes."""
    rng = np.random.default_rng(seed)
    encoder = tiny_encoder(architecture)
    builder = TrajectoryBuilder()
    first = shared or encoder.open(
        observation("which ball", [picture(rng, architecture, 3, 4), picture(rng, architecture)])
    )
    for turn in range(n_turns):
        shown = [picture(rng, architecture, 1 + turn, 3)]
        builder.add_prompt(first if turn == 0 else encoder.follow(observation("zoom", shown)))
        builder.add_response(encoder.message_ids("the colour is " + "abc" * (seed + turn + 1)))
    return builder.build()


def stock(model, trajectory, encoder, mm_types=True):
    """Log-probabilities of the stock forward on one sequence without padding."""
    types = torch.from_numpy((trajectory.ids == encoder.image_id).astype(np.int32))[None]
    ids = torch.from_numpy(trajectory.ids)[None]
    with torch.no_grad():
        logits = model(
            input_ids=ids,
            pixel_values=torch.from_numpy(np.concatenate([i.patches for i in trajectory.images])),
            image_grid_thw=torch.tensor([i.grid for i in trajectory.images]),
            attention_mask=torch.ones_like(ids),
            **({"mm_token_type_ids": types} if mm_types else {}),
        ).logits[0]
    logits[:, torch.from_numpy(encoder.forbidden_ids(VOCABULARY))] = -torch.inf
    picked = logits[:-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
    trained = torch.from_numpy(trajectory.trainable[1:])
    return torch.where(trained, picked, 0.0)
