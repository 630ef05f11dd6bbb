"""Checkpoints that are whole or absent, and from which a run goes on as if it had not stopped.

A checkpoint is a folder `step-00000120` with weights, optimizer, random states and the trainer's
own state. It is written beside, synced and renamed, so a killed process leaves none half-written;
checksums tell one that was damaged later. Nothing in it is unpickled freely.
"""

from __future__ import annotations

import contextlib
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from pixel_env.errors import ConfigError, DataError
from pixel_env.files.json_values import plain
from pixel_env.files.whole_file import whole_file, write_whole

from ...model.files.border import foreign_files
from ...model.files.json_files import read_object
from ...settings.comparison import check_same
from ...tokens.files import load_trajectories, save_trajectories
from ...tokens.trajectory import TokenTrajectory
from ..placement import ALONE, Placement
from .random_state import Generator, random_states, restore_random_states
from .sealed_folder import fault_of, remove, sealed
from .weights import load_optimizer, load_tensors, load_weights, save_weights

_PART = re.compile(r"[\w\-]+")
_NAME = re.compile(r"step-(\d{8,})")


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """What is saved of a run and restored in place.

    Attributes:
        model: a module; of one wrapped by peft only the adapter is saved.
        optimizer: None where there is nothing to go on with.
        config: a dataclass or a mapping; compared when restored. None is not compared.
        generators: the random generators in use, by name; those of Python, numpy and torch (on
            every device) are saved anyway.
        placement: where the model is trained.
    """

    model: Any
    optimizer: torch.optim.Optimizer | None = None
    config: Any = None
    generators: Mapping[str, Generator] = field(default_factory=dict)
    placement: Placement = ALONE


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """What a trainer gets back, beside what was restored in place.

    Attributes:
        step: the step that the checkpoint was saved at.
        state: the trainer's own state, of JSON's types.
        tensors: named dictionaries of tensors, on the CPU.
        trajectories: named lists of trajectories.
        path: the checkpoint's folder.
    """

    step: int
    state: dict[str, Any]
    tensors: dict[str, dict[str, torch.Tensor]]
    trajectories: dict[str, list[TokenTrajectory]]
    path: Path


class Checkpointer:
    """Saves to and restores from the checkpoints in one folder.

    Attributes:
        folder: where the checkpoints are.
        keep: how many of the newest are kept.
    """

    def __init__(self, folder: str | Path, keep: int = 2) -> None:
        """Takes the folder; nothing is made before the first save.

        Raises:
            ConfigError: `keep` is under 1.
        """
        if keep < 1:
            raise ConfigError(f"expected keep of at least 1, got {keep}")
        self.folder = Path(folder)
        self.keep = keep

    @property
    def best(self) -> Checkpointer:
        """The checkpoints in the folder `best`, of which one is kept."""
        return Checkpointer(self.folder / "best", keep=1)

    def save(
        self,
        step: int,
        training: Training,
        *,
        state: Mapping[str, Any] | None = None,
        tensors: Mapping[str, Mapping[str, torch.Tensor]] | None = None,
        trajectories: Mapping[str, Sequence[TokenTrajectory]] | None = None,
    ) -> Path:
        """Saves a checkpoint, then removes those that are too old.

        Of several processes, all must call it, and the first one writes what it was given.

        Args:
            step: steps done so far, from 0; a checkpoint of the same step is replaced.
            training: the model and what belongs to it.
            state: the trainer's own state (its place in the data, sums, ...), of JSON's types.
            tensors: named dictionaries of tensors.
            trajectories: named lists, such as a replay buffer.

        Returns:
            The checkpoint's folder.

        Raises:
            ConfigError: `state`, the config or a trajectory's info is not of JSON's types.
        """
        facts = {
            "step": step,
            "config": plain(training.config, "config"),
            "state": plain(state or {}, "state"),
            "tensors": sorted(tensors or {}),
            "trajectories": sorted(trajectories or {}),
        }
        placement, optimizer = training.placement, training.optimizer
        weights = placement.whole_state_dict()
        optimizer_state = placement.optimizer_state_dict(optimizer) if optimizer else None

        def write() -> Path:
            numbers, tensor_states = random_states(training.generators)
            target = self.folder / f"step-{step:08d}"
            with sealed(target) as writing:
                save_weights(writing, training.model, weights)
                if optimizer_state is not None:
                    with whole_file(writing / "optimizer.pt", sync=False) as stream:
                        torch.save(optimizer_state, stream)
                save_file(tensor_states, writing / "random.safetensors")
                for name, values in (tensors or {}).items():
                    contiguous = {key: value.detach().contiguous() for key, value in values.items()}
                    save_file(contiguous, writing / f"tensors.{name}.safetensors")
                for name, kept in (trajectories or {}).items():
                    save_trajectories(writing / f"trajectories.{name}.safetensors", kept)
                written = json.dumps({**facts, "random": numbers})
                write_whole(writing / "state.json", written, sync=False)
            for old in [path for _, path in self._found()][self.keep :]:
                remove(old)
            return target

        return placement.processes.run_in_first(write)

    def latest(self) -> Path | None:
        """Returns the newest checkpoint that is whole; None where there is none."""
        for _, path in self._found():
            if not fault_of(path):
                return path
        return None

    def load(self, training: Training, may_differ: Sequence[str] = ()) -> Progress | None:
        """Restores the newest whole checkpoint in place.

        A damaged checkpoint is named in a warning, set aside (renamed to `damaged-...`), and the
        one before it is taken.

        Args:
            training: its model, optimizer and generators get their states, its config is compared.
            may_differ: fields of the config, as "field" or "group.field", that are not compared.

        Returns:
            What else was saved; None where the folder holds no checkpoint.

        Raises:
            ConfigError: a field of the config differs, or the model, the optimizer or the
                generators are not those that were saved.
            DataError: there are checkpoints, and every one is damaged.
        """
        path = training.placement.processes.run_in_first(self._newest_whole)
        return None if path is None else restore(path, training, may_differ)

    def _newest_whole(self) -> Path | None:
        """Returns the newest whole checkpoint and sets aside damaged ones before it."""
        faults = []
        for _, path in self._found():
            fault = fault_of(path)
            if not fault:
                return path
            faults.append(f"{path}: {fault}")
            warnings.warn(f"checkpoint {faults[-1]}; taking the one before it", stacklevel=4)
            _set_aside(path)
        if faults:
            raise DataError("every checkpoint is damaged: " + "; ".join(faults))
        return None

    def _found(self) -> list[tuple[int, Path]]:
        """Lists the checkpoints, newest first."""
        paths = self.folder.iterdir() if self.folder.is_dir() else ()
        named = [(_NAME.fullmatch(path.name), path) for path in paths]
        return sorted(((int(n[1]), path) for n, path in named if n), reverse=True)


def restore(path: Path, training: Training, may_differ: Sequence[str] = ()) -> Progress:
    """Restores one checkpoint; see `Checkpointer.load`.

    Raises:
        ConfigError: as `Checkpointer.load`.
        DataError: the checkpoint is damaged.
    """
    if fault := fault_of(path):
        raise DataError(f"checkpoint {path}: {fault}")
    facts = read_object(path / "state.json")
    with foreign_files(str(path / "state.json")):
        step, state, config = int(facts["step"]), dict(facts["state"]), facts["config"]
        named = [str(name) for name in (*facts["tensors"], *facts["trajectories"])]
        if not all(_PART.fullmatch(name) for name in named):
            raise ValueError(f"names of tensors that no file can have: {named!r:.80}")
    if training.config is not None:
        check_same(config, plain(training.config, "config"), may_differ)
    tensors = {n: load_tensors(path / f"tensors.{n}.safetensors") for n in facts["tensors"]}
    trajectories = {
        n: load_trajectories(path / f"trajectories.{n}.safetensors") for n in facts["trajectories"]
    }
    load_weights(path, training.model, training.placement)
    if training.optimizer is not None:
        load_optimizer(path / "optimizer.pt", training.optimizer, training.placement)
    tensor_states = load_tensors(path / "random.safetensors")
    with foreign_files(str(path / "state.json")):
        restore_random_states(facts["random"], tensor_states, training.generators)
    return Progress(step, state, tensors, trajectories, path)


def _set_aside(path: Path) -> None:
    """Renames a damaged checkpoint, so that it neither counts nor is lost."""
    with contextlib.suppress(OSError):
        path.rename(path.with_name(f"damaged-{path.name}"))
