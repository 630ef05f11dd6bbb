"""What generates in a run: sessions on our own engine, or on one vLLM that they share."""

from __future__ import annotations

from typing import Any

from ..engines.settings import OWN
from ..engines.vllm_model import VllmModel
from ..engines.vllm_session import VllmSession
from ..engines.weights import named_weights
from ..generation.config import GenerationConfig
from ..generation.engine import Engine
from ..generation.session import Session
from ..generation.speaker import Speaker
from ..model.folders import fetched_folder
from ..tokens.encoder import Encoder
from ..training.processes import Processes
from .config import RunConfig


class Speakers:
    """Makes the speakers of a run, on the engine that it names."""

    def __init__(
        self, config: RunConfig, model: Any, encoder: Encoder, processes: Processes
    ) -> None:
        """Opens the engine, which rests until weights are handed over.

        Args:
            config: of the run.
            model: the one that is trained.
            encoder: turns observations into tokens, in the model's format.
            processes: those of the training; each has a vLLM of its own.

        Raises:
            ConfigError: the engine isn't installed, or can't be opened.
        """
        self._config = config
        self._model = model
        self._encoder = encoder
        self._vllm: VllmModel | None = None
        if config.engine == OWN:
            return
        self._vllm = VllmModel.open(
            fetched_folder(config.model),
            encoder,
            config.on_policy.generation,
            config.vllm,
            config.compute or config.loading.dtype,
            config.loading.device.startswith("cuda"),
            processes.count,
        )
        self.rest()

    def trainee(self) -> Speaker | None:
        """Returns what samples the rollouts of the training; None for our own engine."""
        return self._session(self._config.on_policy.generation) if self._vllm else None

    def current(self, generation: GenerationConfig) -> Speaker:
        """Returns a speaker with the weights that the model has now."""
        speaker: Speaker
        if self._vllm is None:
            speaker = Session(Engine(self._model, self._encoder, generation))
        else:
            speaker = self._session(generation)
        speaker.update_weights()
        return speaker

    def rest(self) -> None:
        """Gives back the memory that only sampling needs, until weights are handed over again."""
        if self._vllm:
            self._vllm.sleep()

    def _session(self, generation: GenerationConfig) -> VllmSession:
        assert self._vllm is not None  # its callers know
        return VllmSession(
            self._vllm, self._encoder, generation, lambda: named_weights(self._model)
        )
