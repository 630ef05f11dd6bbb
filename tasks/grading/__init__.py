"""What a declared answer is worth: one file a grader."""

from .anls import anls, grade_anls
from .choice import declared_letter, grade_choice
from .count import declared_count, grade_count
from .text import exact_text, grade_text

__all__ = [
    "anls",
    "declared_count",
    "declared_letter",
    "exact_text",
    "grade_anls",
    "grade_choice",
    "grade_count",
    "grade_text",
]
