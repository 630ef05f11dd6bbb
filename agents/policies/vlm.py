"""A vision-language model as a policy: a `Speaker` behind the protocol of policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError, unknown_name
from pixel_env.types import Action, Observation

from ..engines.settings import ENGINES, OWN, VLLM, VllmSettings, check_installed
from ..engines.vllm_model import VllmModel
from ..engines.vllm_session import VllmSession
from ..engines.weights import named_weights
from ..generation.config import GenerationConfig
from ..generation.engine import Engine
from ..generation.session import Session
from ..generation.speaker import Speaker
from ..model.device import checked_device
from ..model.digests import file_digests
from ..model.folders import fetched_folder, folder_of
from ..model.loading import LoadedModel, load, load_tools
from ..model.settings import ModelSettings
from ..model.trained_with import read_trained_with
from ..tokens.encoder import Encoder
from ..tokens.token_logprobs import with_texts
from ..training.checkpoints.weights import WEIGHT_FILES, load_weights
from .model_settings import ENGINE_SETTINGS, POLICY_SETTINGS, check_settings


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model is from, so that it can be loaded again."""

    path: str
    """Its folder, or its name on the hub."""
    model: ModelSettings
    """How it was loaded."""
    weights: Path | None = None
    """The checkpoint of a training whose weights it has; None: its own."""
    vllm: VllmSettings | None = None
    """How vLLM runs, where it generates; None: our own engine does."""

    @property
    def folder(self) -> Path | None:
        """Where its files are."""
        return folder_of(self.path)

    @property
    def is_whole_in_vllm(self) -> bool:
        """Whether vLLM reads all of it from the folder, so that we needn't load it."""
        return self.vllm is not None and self.weights is None


class VLMPolicy:
    """Sends the messages that a model generates.

    A lane that runs out of context gives empty messages: its remaining turns are spent.

    Attributes:
        name: short name, used in reports and trajectories.
        dialect: name of the dialect of its messages.
    """

    def __init__(
        self,
        speaker: Speaker,
        encoder: Encoder,
        generation: GenerationConfig,
        name: str = "vlm",
        origin: Origin | None = None,
        logprobs: bool = False,
    ) -> None:
        """Takes what generates.

        Args:
            speaker: generates the messages.
            encoder: the one that it encodes observations with.
            generation: how it samples, for `settings`.
            name: short name.
            origin: where the model is from, for `settings` and `facts`.
            logprobs: whether the log-probability of every sampled token is recorded.
        """
        self.name = name
        self._speaker = speaker
        self._encoder = encoder
        self._generation = generation
        self._origin = origin
        self._logprobs = logprobs
        self._sampled: set[int] = set()

    @classmethod
    def load(
        cls,
        path: str | Path,
        model: ModelSettings | None = None,
        weights: str | Path | None = None,
        **settings: Any,
    ) -> VLMPolicy:
        """Loads a model from a folder or by its name on the hub.

        Args:
            path: the folder, or the name.
            model: how it is loaded.
            weights: the checkpoint of a training, whose weights replace the model's.
            **settings: `dialect`, `system`, `engine`, `vllm` (`VllmSettings`), `logprobs` (whether
                those of sampled tokens are recorded) and fields of `GenerationConfig`. Where one
                is missing, what the model was trained with holds, then the defaults; it is greedy
                unless set otherwise.

        Raises:
            ConfigError: the model can't be loaded, or a setting is wrong.
            DataError: what the model was trained with can't be read.
        """
        check_settings(settings, (*POLICY_SETTINGS, *ENGINE_SETTINGS))
        engine, vllm = settings.pop("engine", OWN), settings.pop("vllm", VllmSettings())
        if engine not in ENGINES:
            raise unknown_name("engine", engine, ENGINES)
        check_installed(engine)
        origin = Origin(
            str(path),
            model or ModelSettings(),
            Path(weights) if weights else None,
            None if engine == OWN else vllm,
        )
        parts = None if origin.is_whole_in_vllm else _loaded(origin)
        tools = (parts.tokenizer, parts.image_processor) if parts else load_tools(path)
        known = read_trained_with(origin.folder)
        chosen = {"greedy": True, **(known.for_policy() if known else {}), **settings}
        dialect = get_dialect(chosen.pop("dialect", "pixel-reasoner"))
        system, logprobs = chosen.pop("system", "full"), chosen.pop("logprobs", False)
        encoder = Encoder(*tools, dialect, system)
        generation = GenerationConfig(**chosen)
        speaker: Speaker
        if origin.vllm is None:
            assert parts is not None  # nothing else generates
            speaker = Session(Engine(parts.model, encoder, generation))
        else:
            speaker = _on_vllm(origin, origin.vllm, parts, encoder, generation)
        return cls(speaker, encoder, generation, f"vlm:{path}", origin, logprobs)

    @property
    def dialect(self) -> str:
        """Name of the dialect of its messages."""
        return self._encoder.dialect.name

    def settings(self) -> dict[str, Any]:
        """Returns how messages are sampled, what the system message holds, how it was loaded."""
        origin = self._origin
        vllm = origin.vllm if origin else None
        return {
            **asdict(self._generation),
            **({"engine": VLLM, "vllm": asdict(vllm)} if vllm else {}),
            **({"logprobs": True} if self._logprobs else {}),
            "system": self._encoder.system,
            "model": asdict(origin.model) if origin else None,
            "weights": str(origin.weights) if origin and origin.weights else None,
        }

    def facts(self) -> dict[str, Any]:
        """Returns the system message, and the SHA-256 of each file of the model."""
        folder = self._origin.folder if self._origin else None
        weights = self._origin.weights if self._origin else None
        return {
            "system_prompt": self._encoder.system_prompt(),
            "files": file_digests(folder) if folder else None,
            "weights": file_digests(weights, WEIGHT_FILES) if weights else None,
        }

    def reset(self, lane: int, seed: int | None = None) -> None:
        """Starts an episode in a lane and forgets the last one there.

        Args:
            lane: number of the lane, from 0.
            seed: fixes what the lane samples; None draws afresh.
        """
        self._speaker.begin(lane, seed)
        self._sampled.discard(lane)

    def act(
        self, observations: Sequence[Observation], lanes: Sequence[int]
    ) -> Sequence[str | Action]:
        """Generates one message in each waiting lane.

        Args:
            observations: one turn's news for each waiting lane.
            lanes: the lane of each observation, from 0; no lane occurs twice.

        Returns:
            One message for each observation, in the same order; "" where a lane ran out of
            context.
        """
        self._speaker.hear(observations, lanes)
        speaking = [lane for lane in lanes if not self._speaker.overlong(lane)]
        texts = dict(zip(speaking, self._speaker.speak(speaking), strict=True))
        self._sampled = (self._sampled - set(lanes)) | set(speaking)
        return [texts.get(lane, "") for lane in lanes]

    def message_facts(self, lane: int) -> Mapping[str, Any]:
        """Returns `token_logprobs` of the lane's last message, where they are recorded."""
        if not self._logprobs or lane not in self._sampled:
            return {}
        tokens = with_texts(*self._speaker.record(lane).last, self._encoder.tokenizer)
        return {"token_logprobs": tokens}


def _loaded(origin: Origin) -> LoadedModel:
    """Loads a model with the weights of its checkpoint; on the CPU where vLLM takes them."""
    settings = replace(origin.model, device="cpu") if origin.vllm else origin.model
    parts = load(origin.path, settings)
    if origin.weights is not None:
        if not origin.weights.is_dir():
            raise ConfigError(f"expected weights to be a checkpoint, got {origin.weights}")
        load_weights(origin.weights, parts.model)
    return parts


def _on_vllm(
    origin: Origin,
    settings: VllmSettings,
    parts: LoadedModel | None,
    encoder: Encoder,
    generation: GenerationConfig,
) -> VllmSession:
    """Opens a model in vLLM; `parts` replace its weights where they are given."""
    model = VllmModel.open(
        fetched_folder(origin.path),
        encoder,
        generation,
        settings,
        origin.model.dtype,
        checked_device(origin.model.device).startswith("cuda"),
    )
    if parts is not None:
        model.load(named_weights(parts.model))
    return VllmSession(model, encoder, generation)
