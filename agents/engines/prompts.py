"""Prompts as vLLM takes and returns them: one image token a picture in, all of them back.

vLLM puts a picture's image tokens in itself. Ids that hold them already raise nothing there and
give other log-probabilities by nats, so what it read is compared with what is recorded.
"""

from __future__ import annotations

import numpy as np

from pixel_env.errors import ConfigError

from ..tokens.trajectory import Ids


def collapsed(ids: Ids, image_id: int) -> Ids:
    """Returns ids in which each run of image tokens is one.

    Pictures never touch: each stands between two tokens of its own.

    Example:
        >>> collapsed(np.array([5, 9, 9, 9, 6, 9, 7]), image_id=9).tolist()
        [5, 9, 6, 9, 7]
    """
    is_image = ids == image_id
    repeats = np.zeros(len(ids), np.bool_)
    repeats[1:] = is_image[1:] & is_image[:-1]
    return ids[~repeats]


def check_prompt(ours: Ids, theirs: Ids, lane: int) -> None:
    """Makes sure that an engine read the prompt that is recorded.

    Args:
        ours: (length,) int64, the recorded ids.
        theirs: (n,) int64, those that the engine says it read.
        lane: named in the error.

    Raises:
        ConfigError: they differ; the message names the first position, from 0.
    """
    n = min(len(ours), len(theirs))
    different = np.flatnonzero(ours[:n] != theirs[:n])
    if len(ours) == len(theirs) and not len(different):
        return
    at = int(different[0]) if len(different) else n
    here, there = (str(ids[at]) if at < len(ids) else "nothing" for ids in (ours, theirs))
    raise ConfigError(
        f"expected the engine to read the prompt of lane {lane} as it is recorded, "
        f"{len(ours)} tokens; it read {len(theirs)}, and at position {at} the id {there} in place "
        f"of {here}. Was a picture resized, or is its tokenizer or image processor another? "
        "Nothing is trained on such a rollout"
    )
