"""What was measured of one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .agreement import Agreement
from .device_meter import RAN, MeasuredPart

PARTS = (
    "rates", "float32 check", "demonstrations", "build", "tower", "warm start", "rollout", "check",
    "update", "gradients", "kernels",
)  # fmt: skip
"""Names of the parts, in the order in which they run; the last one only if it is asked for."""


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What was measured of one model.

    Attributes:
        model: its short name.
        weights: how many it has.
        parts: in the order in which they ran, every one of `PARTS`.
        agreement: of the model, in the dtype that it is trained in; None where it wasn't checked.
        reference: of a few layers of it in float32; None where it wasn't checked.
        workload: what the estimates are of, by `Workload`'s names; empty without any.
    """

    model: str
    weights: int
    parts: tuple[MeasuredPart, ...]
    agreement: Agreement | None
    reference: Agreement | None
    workload: Mapping[str, Any]

    @property
    def holds(self) -> bool:
        """Whether all parts ran and both checks hold."""
        checks = (self.agreement, self.reference)
        ran = all(part.status == RAN for part in self.parts)
        return ran and all(check is not None and check.holds for check in checks)
