"""Weights and optimizer spread over the processes: FSDP2, `torch.distributed.fsdp.fully_shard`.

Between two optimizer steps every process holds all weights, in the precision that is computed in,
and its own gradients. What lies spread are the weights that the optimizer updates, in their full
precision, and the optimizer's state. So generation and micro-batches need no talk between the
processes, and one that has more of them than another makes nobody wait for a message that never
comes. Gradients are added up in one pass over a blank trajectory, the same in every process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

from pixel_env.errors import ConfigError

from ..model.backbone import Backbone
from ..tokens.encoder import Encoder
from ..tokens.trajectory import Piece, TokenTrajectory, TrajectoryBuilder
from .processes import Processes

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
_SPREAD = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)


class _Root(nn.Module):
    """Does some work with the model: FSDP wants to see one outermost forward."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, work: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Returns what the work returns."""
        return work()


class Sharding:
    """A model whose weights lie spread over the processes."""

    def __init__(self, model: nn.Module, dtype: torch.dtype, processes: Processes) -> None:
        """Spreads the weights, in place.

        Args:
            model: a Qwen2.5-VL or Qwen3-VL model without adapters.
            dtype: what is computed in.
            processes: over which the weights are spread, at least two.

        Raises:
            ConfigError: there is one process only, or the model has adapters.
        """
        if processes.count == 1:
            raise ConfigError("expected several processes to spread the weights over, got one")
        if hasattr(model, "peft_config"):
            raise ConfigError(
                "expected a model without adapters: what they train needs no spreading"
            )
        backbone = Backbone(model)
        tied = _tied_names(model)
        mesh = init_device_mesh(backbone.device.type, (processes.count,))
        policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
        for block in backbone.blocks:
            fully_shard(block, mesh=mesh, mp_policy=policy)
        self._model = model
        self._tied = tied
        root: Any = fully_shard(_Root(model), mesh=mesh, mp_policy=policy)
        self._root = root
        self._parts = [each for each in self._root.modules() if isinstance(each, FSDPModule)]
        for part in self._parts:
            part.set_gradient_divide_factor(1.0)  # sums, not means: losses have their normaliser
            part.set_force_sum_reduction_for_comms(True)
        self._root.set_reshard_after_forward(False)
        self._root.set_reshard_after_backward(False)
        self._root(lambda: torch.zeros(()))  # tells FSDP which module is the outermost
        self._is_whole = False
        self.assemble()

    def assemble(self) -> None:
        """Brings all weights into every process, to compute with; all must call it."""
        if not self._is_whole:
            for part in self._parts:
                part.unshard()
            self._root.set_requires_gradient_sync(False)
            self._is_whole = True

    def spread(self) -> None:
        """Leaves each process its own part of the weights."""
        for part in self._parts:
            part.reshard()
        self._is_whole = False

    def add_up_gradients(self, blank: Callable[[], torch.Tensor]) -> None:
        """Sums gradients over the processes and spreads them with the weights; all must call it.

        Args:
            blank: a pass that uses every weight, giving one number; it adds nothing.
        """
        # FSDP reduces gradients in the backward pass of a forward pass that all processes make, and
        # processes have different numbers of micro-batches. So those accumulate without talk, and
        # one more pass, alike everywhere and worth 0, carries the accumulated gradients away.
        self.assemble()
        self._root.set_requires_gradient_sync(True)
        (self._root(blank) * 0).backward()
        self.spread()

    def state_dict(self) -> dict[str, Any]:
        """Returns whole weights by name in the first process, {} elsewhere; all must call it.

        Tied weights are there once, as a model is saved.
        """
        self.spread()
        whole = get_model_state_dict(self._model, options=_WHOLE)
        return {name: value for name, value in whole.items() if name not in self._tied}

    def load_state_dict(self, weights: dict[str, Any]) -> None:
        """Takes whole weights from the first process; all must call it."""
        self.spread()
        tied = {name: weights[first] for name, first in self._tied.items() if first in weights}
        set_model_state_dict(self._model, weights | tied, options=_SPREAD)

    def optimizer_state_dict(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Returns its whole state by names of weights, as `state_dict` does."""
        self.spread()
        return get_optimizer_state_dict(self._model, optimizer, options=_WHOLE)

    def load_optimizer_state_dict(
        self, optimizer: torch.optim.Optimizer, state: dict[str, Any]
    ) -> None:
        """Takes the whole state from the first process; all must call it."""
        self.spread()
        set_optimizer_state_dict(self._model, optimizer, state, options=_SPREAD)


def _tied_names(model: nn.Module) -> dict[str, str]:
    """Returns the further names of weights that have several, each with the first name."""
    first: dict[int, str] = {}
    tied = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if id(parameter) in first:
            tied[name] = first[id(parameter)]
        first.setdefault(id(parameter), name)
    return tied


def blank_trajectory(encoder: Encoder) -> TokenTrajectory:
    """Returns a message after a small picture: scoring it uses every weight of a model."""
    side = 2 * encoder.image_processor.patch_size * encoder.image_processor.merge_size
    (image,) = encoder.images([np.zeros((side, side, 3), np.uint8)])
    record = TrajectoryBuilder()
    shown = [encoder.end_id, *[encoder.image_id] * image.n_tokens, encoder.end_id]
    record.add_prompt(Piece(np.array(shown, np.int64), (image,), (1,)))
    record.add_response(np.array([encoder.end_id], np.int64))
    return record.build()
