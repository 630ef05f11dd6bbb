"""Sampled tokens as texts with their log-probabilities, for records that people read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .trajectory import Ids, TokenTrajectory

_INCOMPLETE = "\ufffd"
"""What a tokenizer writes for bytes that are no whole character."""


def message_logprobs(trajectory: TokenTrajectory, tokenizer: Any) -> list[list[tuple[str, float]]]:
    """Returns each response's tokens as (text, log-probability), the closing token included.

    Args:
        trajectory: a rollout, with the log-probabilities recorded while sampling.
        tokenizer: that of the rollout.

    Returns:
        One list for each response, in order.
    """
    found = []
    for turn in trajectory.turns:
        if turn.role == "assistant":
            ids = trajectory.ids[turn.start : turn.stop]
            found.append(with_texts(ids, trajectory.logprobs[turn.start : turn.stop], tokenizer))
    return found


def with_texts(ids: Ids, logprobs: NDArray[np.float32], tokenizer: Any) -> list[tuple[str, float]]:
    """Returns tokens as (text, log-probability).

    Args:
        ids: (length,) int64.
        logprobs: (length,) float32.
        tokenizer: decodes the tokens.

    Returns:
        The log-probabilities in the fewest digits that give the same float32.
    """
    texts = token_texts(ids, tokenizer)
    return [(text, float(str(each))) for text, each in zip(texts, logprobs, strict=True)]


def token_texts(ids: Ids, tokenizer: Any) -> list[str]:
    """Returns the text of each token; put together, they are the text of all.

    A character that takes several tokens is in the text of the last one, and the others' are empty.

    Args:
        ids: (length,) int64.
        tokenizer: decodes them.
    """
    texts: list[str] = []
    start = 0
    for stop in range(1, len(ids) + 1):
        text: str = tokenizer.decode(
            ids[start:stop].tolist(),
            skip_special_tokens=False,
            clean_up_tokenization_spaces=False,
        )
        if text.endswith(_INCOMPLETE) and stop < len(ids):
            texts.append("")
            continue
        texts.append(text)
        start = stop
    return texts
