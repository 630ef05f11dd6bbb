"""Where a training runs: its processes, and how the weights of its model lie over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from .processes import ONE_PROCESS, Processes
from .sharding import Sharding


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """The processes of a training and the sharding of its model; by default one whole model alone.

    Whoever starts a training makes one and hands it to the parts: the trainer, its optimizer
    steps, its checkpoints. What works in one process works in several by these methods.

    Attributes:
        processes: this process among those of the training.
        sharding: how the weights are spread; None where every process holds all of them.
    """

    processes: Processes = ONE_PROCESS
    sharding: Sharding | None = None

    def assemble(self) -> None:
        """Brings all weights here, where they are spread; all processes must call it."""
        if self.sharding:
            self.sharding.assemble()

    def trained_parameters(self, model: nn.Module) -> list[nn.Parameter]:
        """Returns what an optimizer updates: of spread weights, this process's part."""
        if self.sharding:
            self.sharding.spread()
        return [each for each in model.parameters() if each.requires_grad]

    def add_up_gradients(
        self, parameters: Iterable[nn.Parameter], blank: Callable[[], torch.Tensor]
    ) -> None:
        """Replaces every gradient by its sum over all processes; all must call it.

        Args:
            parameters: what the optimizer updates.
            blank: a pass that uses every weight and gives one number, for spread weights.
        """
        if self.sharding:
            self.sharding.add_up_gradients(blank)
        else:
            self.processes.add_up_gradients(parameters)

    def whole_state_dict(self) -> dict[str, Any] | None:
        """Brings spread weights together, in the first process; None where they aren't spread.

        All processes must call it.
        """
        return self.sharding.state_dict() if self.sharding else None

    def optimizer_state_dict(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Returns an optimizer's whole state; all processes must call it."""
        if self.sharding:
            return self.sharding.optimizer_state_dict(optimizer)
        return optimizer.state_dict()


ALONE = Placement()
"""One process, which holds the whole model."""
