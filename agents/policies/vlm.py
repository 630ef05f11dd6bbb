"""A vision-language model as a policy: the engine behind the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pixel_env.dialects import get_dialect
from pixel_env.types import Action, Observation

from ..generation.engine import Engine, GenerationConfig
from ..generation.session import Session
from ..model.digests import file_digests
from ..model.loading import ModelSettings, folder_of, load
from ..tokens.encoder import Encoder, SystemPrompt

GREEDY = GenerationConfig(greedy=True)


class VLMPolicy:
    """Says what a model says.

    A lane that runs out of context says nothing any more: its remaining turns are spent.

    Attributes:
        name: short name, used in reports and trajectories.
        dialect: name of the dialect of its messages.
    """

    def __init__(
        self,
        engine: Engine,
        name: str = "vlm",
        model: ModelSettings | None = None,
        folder: Path | None = None,
    ) -> None:
        """Takes an engine.

        Args:
            engine: the model with its tokenizer and dialect.
            name: short name.
            model: how the model was loaded, for `settings`.
            folder: where it was loaded from, for `facts`.
        """
        self.name = name
        self._engine = engine
        self._model = model
        self._folder = folder
        self._session: Session = Session(engine)

    @classmethod
    def load(
        cls,
        path: str | Path,
        dialect: str = "pixel-reasoner",
        system: SystemPrompt = "full",
        model: ModelSettings | None = None,
        generation: GenerationConfig | None = None,
    ) -> VLMPolicy:
        """Loads a model from a folder or by its name on the hub; greedy unless told otherwise.

        Raises:
            ConfigError: the model can't be loaded, or a setting is wrong.
        """
        model = model or ModelSettings()
        parts = load(path, model)
        encoder = Encoder(parts.tokenizer, parts.image_processor, get_dialect(dialect), system)
        engine = Engine(parts.model, encoder, generation or GREEDY)
        return cls(engine, f"vlm:{path}", model, folder_of(path))

    @property
    def dialect(self) -> str:
        """Name of the dialect of its messages."""
        return self._engine.encoder.dialect.name

    def settings(self) -> dict[str, Any]:
        """Returns how messages are sampled, what the system message holds, how it was loaded."""
        return {
            **asdict(self._engine.config),
            "system": self._engine.encoder.system,
            "model": asdict(self._model) if self._model else None,
        }

    def facts(self) -> dict[str, Any]:
        """Returns the system message as told, and the SHA-256 of each file of the model."""
        return {
            "system_prompt": self._engine.encoder.system_prompt(),
            "files": file_digests(self._folder) if self._folder else None,
        }

    def reset(self, lane: int, seed: int | None = None) -> None:
        """Starts an episode in a lane and forgets the last one there.

        Args:
            lane: number of the lane, from 0.
            seed: fixes what the lane samples; None draws afresh.
        """
        self._session.begin(lane, seed)

    def act(
        self, observations: Sequence[Observation], lanes: Sequence[int]
    ) -> Sequence[str | Action]:
        """Says one message in each waiting lane.

        Args:
            observations: one turn's news for each waiting lane.
            lanes: the lane of each observation, from 0; no lane occurs twice.

        Returns:
            One message for each observation, in the same order; "" where a lane ran out of
            context.
        """
        self._session.hear(observations, lanes)
        speaking = [lane for lane in lanes if not self._session.overlong(lane)]
        texts = dict(zip(speaking, self._session.speak(speaking), strict=True))
        return [texts.get(lane, "") for lane in lanes]
