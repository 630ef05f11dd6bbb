"""The right answers of a sample, as they are declared."""

from __future__ import annotations

from pixel_env.types import LETTERS, Sample


def right_answers(sample: Sample) -> list[tuple[str, str]]:
    """Returns every right answer, each as it is called and as it is declared: text, or letter."""
    if sample.right_choice is not None and sample.right_choice < len(LETTERS):
        return [(sample.choices[sample.right_choice], LETTERS[sample.right_choice])]
    return [(each, each) for each in dict.fromkeys(sample.answers)]
