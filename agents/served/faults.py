"""What a failed request means: whether asking on is any use, how long to wait, what to say.

The errors of the package `openai` are read by their attributes, so it isn't imported here.
"""

from __future__ import annotations

import math
import re

_NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached")
"""Codes of a server that counts as too many requests what no waiting mends."""

_FINAL = (401, 404)
"""Statuses of a key that is refused and of a model that isn't there: every request will fail."""

_OVER_CONTEXT = re.compile(
    r"context[ _](?:length|window|size)|maximum (?:model|input|prompt) length|max_model_len"
    r"|(?:prompt|input) is too long|too many (?:input )?tokens",
    re.IGNORECASE,
)
"""How servers say that a conversation is longer than the model takes."""

_LONGEST = 300
"""Most characters of a server's own words in a sentence."""


def is_final(fault: Exception) -> bool:
    """Whether every further request would fail like this one."""
    if getattr(fault, "code", None) in _NO_MONEY:
        return True
    return getattr(fault, "status_code", None) in _FINAL


def is_over_context(fault: Exception) -> bool:
    """Whether a refused request was longer than the model's context."""
    code = str(getattr(fault, "code", ""))
    return code == "context_length_exceeded" or bool(_OVER_CONTEXT.search(str(fault)))


def retry_after(fault: Exception) -> float | None:
    """Returns the seconds that a server asks to wait; None where it doesn't, or not in seconds."""
    headers = getattr(getattr(fault, "response", None), "headers", {})
    for name, second in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / second
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return None


def sentence(fault: Exception) -> str:
    """Returns one line that says what went wrong."""
    text = " ".join(str(fault).split())[:_LONGEST] or type(fault).__name__
    cause = fault.__cause__
    if cause is not None and str(cause) and str(cause) not in text:
        text = f"{text.rstrip('.')}: {' '.join(str(cause).split())[:_LONGEST]}"
    return text
