"""Words that deny a statement, set a condition for it, or leave it open."""

from __future__ import annotations

import re

DENIAL = (
    r"\b(?:not|never|no|cannot|doubt|doubtful|unless|if|whether|wrong|incorrect|false|neither|nor"
    r"|none|excludes?|excluded|excluding|eliminate[sd]?|discard(?:s|ed)?|reject(?:s|ed)?"
    r"|rul(?:es?|ed|ing) out|differs?|different|mismatch|contradicts?|opposite|least"
    r"|hardly|barely|scarcely)\b"
    r"|n't\b|\b(?:is|was|does|do|did|can|could|would|wo)nt\b|[不没非未]"
)
"""What denies a sentence, or sets a condition, as a pattern for any case."""

HEDGE = (
    r"\b(?:could|might|may|maybe|perhaps|possibly|either|or|unclear|unsure|uncertain|ambiguous"
    r"|impossible|unable|undecided|hard to (?:say|tell))\b"
)
"""What leaves a sentence open, as a pattern for any case."""

TENTATIVE = (
    r"\b(?:initially|at first|first thought|first guess|almost|nearly|used to|going to"
    r"|fails?|failed|far from|few|rarely|seldom|before|until|needs?|needed"
    r"|(?:some|people|others|one|you) (?:\w+ )?(?:choose|pick|select|go|would|say|may|might))\b"
)
"""What tells of somebody else's choice, or of one that isn't made, as a pattern for any case."""

_CLAUSE_END = re.compile(r"[.!?,;:\n]")
_SENTENCE_END = re.compile(r"[.!?\n]")
_DENIAL = re.compile(rf"{DENIAL}|{TENTATIVE}", re.IGNORECASE)
_CONDITION = re.compile(
    r"\s*(?:(?:and|but|so|well|even),? )?"
    r"(?:if|unless|assuming|provided|suppos(?:e|ing)|before|until)\b",
    re.IGNORECASE,
)


def is_denied(before: str) -> bool:
    """Whether the text before a statement denies it in its last clause, or sets a condition."""
    if _CONDITION.match(_SENTENCE_END.split(before)[-1]):
        return True
    return _DENIAL.search(_CLAUSE_END.split(before)[-1]) is not None
