"""The environment: zoom into a picture or select frames, then answer a question."""

from __future__ import annotations

import copy
from dataclasses import asdict
from typing import Any, ClassVar, Self, cast

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Space
from numpy.typing import NDArray

from .config import EnvConfig
from .drawing.picture import draw_episode, written_action
from .drawing.window import Window, can_be_shown
from .episode import OUT_OF_TURNS, Episode
from .errors import ConfigError, DataError, OperationError, unknown_name
from .history import History
from .operations import Outcome, operations
from .reading import GivenAction
from .sharing import sample_cache
from .shuffle import shuffled_index, with_shuffled_options
from .spaces import action_space, observation_space
from .task import Task, chosen_index
from .types import Action, Info, Observation, Sample, View

Step = tuple[Observation, float, bool, bool, Info]
"""What `step` returns: observation, reward, terminated, truncated, info."""

RENDER_MODES = ("human", "rgb_array") if can_be_shown() else ("rgb_array",)


class PixelReasoningEnv(gym.Env[Observation, Action]):
    """A question about one or more pictures, or about a clip, and operations to view them closer.

    ## Description
    The policy is shown a question and an overview. It may zoom into any view and, of a clip,
    select frames, one operation a turn; then it answers. A view remembers which rectangle of
    which source it is, so that a zoom on a crop reads the original's pixels.

    ## Action Space
    A `Dict` (see `pixel_env.types.Action`; build one with `zoom_in`, `select_frames`, `answer`):
    `operation` (0 answer, 1 zoom_in, 2 select_frames), `text` (the answer), `bbox` ((4,) float64:
    x1, y1, x2, y2, fractions of the target view), `target_image` (a view's number, from 1),
    `frames` (multi-binary; entry i is sampled frame i + 1). Operations that `register_operation`
    added before the environment was made have the next codes, and fields of their own; `act`
    builds an action of any. `step` also takes one by name, with its own fields alone, as `act`
    takes them: {"operation": "zoom_in", "bbox": [0, 0, 0.5, 1]}; and the `OperationError` of a
    message that could not be read, which becomes the feedback.

    ## Observation Space
    A `Dict`, what is new in one turn (see `pixel_env.types.Observation`): `question`, `choices`,
    `images` (the views that are new, (H, W, 3) uint8 RGB), `first_image` (number of the first of
    them, or of the next view where none is new), `feedback`, `turn`, `turns_left`, `n_frames`.
    Views are numbered from 1 in the order shown; a clip's sampled frames come first.

    ## Rewards
    The sum of `info["reward_terms"]`; here one term, `score`: the task's score of the answer,
    in [0, 1], at the step that answers, and 0 before.

    ## Starting State
    `reset(seed=s)` draws a place in a shuffled order of the split; `reset()` goes on from there,
    without end. `options={"index": i}` (from 0) or `{"id": "..."}` picks a sample. Options are
    shown in an order that the sample's id fixes.

    ## Episode End
    Terminated by an answer. Truncated after `max_turns` steps, or by a fault of the data. An
    action that can't be done costs its turn and is explained in `feedback`; it never raises. An
    operation that would show more than `max_views` is refused, and the episode goes on.

    ## Information
    Always: `sample_id`, `task`, `category`, `origin` (file and row), `n_calls` (operations
    attempted; a message that could not be read counts, one without call or answer doesn't),
    `n_operations` (executed), `n_operation_errors` (refused), `n_views`.
    After a step: `reward_terms`. Where they apply: `operation` (name), `operation_error` (kind),
    `target_image`, `requested_box` and `executed_box` (fractions of the source), `view_box` (the
    padded box, fractions of the target view), `clamped` (whether an overshoot of the box was
    clamped), `frames` (numbers of the selected frames), `views_added` (numbers of the new views),
    `env_error` (the fault of the data; such an episode doesn't count for the policy). When the
    episode ended by an answer, and never before: `answer`, `grade` (a dict: `score`, `correct`,
    `parsed`, `error`).

    ## Arguments
    `task`, and the fields of `EnvConfig` by name; `preset` names a published set of them, and
    explicit ones win. `render_mode="rgb_array"` draws the overview with the boxes of zooms, and
    the conversation beside it; "human" shows that in a window at every reset and step.

    ## Version History
    * v0: first release.

    `sample`, `views` and `history` are privileged: they hold the answer and the evidence, for
    evaluation and for demonstrations, never for a policy.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": list(RENDER_MODES),
        "render_fps": 1,
    }

    def __init__(
        self,
        task: Task,
        config: EnvConfig | None = None,
        *,
        preset: str | None = None,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        """Makes the environment; reads no media.

        Args:
            task: where samples and grades come from.
            config: all settings at once; `settings` replace some of its fields.
            preset: name of a published set of settings; not together with `config`.
            render_mode: None, "rgb_array" or "human".
            **settings: fields of `EnvConfig`.

        Raises:
            ConfigError: an argument is unknown or out of range, the task is empty, or there is no
                screen for "human".
        """
        if not isinstance(task, Task):
            raise ConfigError(f"expected task to be a Task, got {type(task).__name__}")
        if len(task) < 1:
            raise ConfigError(f"expected the task {task.name!r} to hold a sample, it is empty")
        if config is not None and preset is not None:
            raise ConfigError("expected config or preset, got both")
        if render_mode not in (None, "human", *RENDER_MODES):
            raise unknown_name("render_mode", render_mode, RENDER_MODES)
        self.config = config.replaced(**settings) if config else EnvConfig.of(preset, **settings)
        self.task = task
        self.render_mode = render_mode
        self._window = Window() if render_mode == "human" else None
        # A TypedDict is a dict; the spaces are typed by dict.
        self.operations = operations()
        self.observation_space = cast(Space[Observation], observation_space(self.config))
        self.action_space = cast(Space[Action], action_space(self.config, self.operations))
        self._samples = sample_cache(task)
        self._episode: Episode | None = None
        self._header: Info = {}
        self._order_key: int | None = None
        self._position = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copies the environment and its episode; task and samples are read only, and shared."""
        shown = self._episode.history if self._episode else None
        for shared in (self.task, *([shown.sample] if shown else [])):
            memo[id(shared)] = shared
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin

    @property
    def sample(self) -> Sample:
        """The sample as it is shown. Privileged: it holds the answer and the evidence.

        Raises:
            ResetNeeded: there is no episode, or its sample could not be read.
        """
        return self.history.sample

    @property
    def views(self) -> tuple[View, ...]:
        """Every view shown in this episode, entry 0 is view 1. Privileged.

        Raises:
            ResetNeeded: there is no episode, or its sample could not be read.
        """
        return self.history.views

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Starts an episode.

        Args:
            seed: fixes the sample and every random choice from here on.
            options: {"index": i}, from 0, or {"id": name}: the sample to show.

        Raises:
            ConfigError: there is no such sample, or an option is unknown.
        """
        super().reset(seed=seed)
        if seed is not None or self._order_key is None:
            self._order_key = int(self.np_random.integers(2**62))
            self._position = 0
        index = chosen_index(self.task, options or {})
        if index is None:
            index = shuffled_index(self._position, len(self.task), self._order_key)
            self._position += 1
        episode = self._episode = self._start(index)
        info = {**self._header, **episode.counts()}
        if episode.fault:
            info["env_error"] = episode.fault
        self._show()
        views = episode.history.views if episode.history else ()
        return episode.observe("", views), info

    def step(self, action: Action | GivenAction | OperationError) -> Step:
        """Does one action; a wrong one, whatever it is, is refused in `feedback`, never raised.

        Args:
            action: an action, also by name, or the `OperationError` of a message that could not be
                read.

        Raises:
            ResetNeeded: there is no episode, or it has ended.
        """
        episode = self._episode
        if episode is None or episode.ended:
            raise ResetNeeded("expected a call of reset before step: no episode is running")
        episode.turn += 1
        info: Info = {**self._header, "reward_terms": {"score": 0.0}}
        outcome = Outcome()
        if episode.history is not None:
            outcome = self._execute(episode, episode.history, action, info)
        terminated = outcome.answer is not None
        truncated = not terminated and bool(episode.fault or episode.turn >= self.config.max_turns)
        episode.ended = terminated or truncated
        if episode.fault:
            info["env_error"] = episode.fault
        feedback = outcome.feedback
        if truncated and not episode.fault:
            feedback += OUT_OF_TURNS
        if self.render_mode:
            written = written_action(action, self.operations)
            episode.conversation += [("policy", written), ("environment", feedback)]
            self._show()
        info.update(episode.counts())
        reward = float(sum(info["reward_terms"].values()))
        observation = episode.observe(feedback, outcome.views)
        return observation, reward, terminated, truncated, info

    def render(self) -> NDArray[np.uint8] | None:
        """Draws the episode so far, (height, width, 3) uint8; None unless that is the mode."""
        if self.render_mode != "rgb_array":
            return None
        if self._episode is None:
            raise ResetNeeded("expected a call of reset before render: no episode is running")
        return draw_episode(self._episode.history, self._episode.conversation)

    def close(self) -> None:
        """Closes the window, if there is one."""
        if self._window is not None:
            self._window.close()

    @property
    def history(self) -> History:
        """What was shown, and what it was cut from. Privileged.

        Raises:
            ResetNeeded: there is no episode, or its sample could not be read.
        """
        if self._episode is None or self._episode.history is None:
            raise ResetNeeded("expected a readable sample: none was reset, or its files are broken")
        return self._episode.history

    def _show(self) -> None:
        """Shows the episode so far, where there is a window."""
        if self._window is not None and self._episode is not None:
            self._window.show(draw_episode(self._episode.history, self._episode.conversation))

    def _start(self, index: int) -> Episode:
        """Reads a sample and its overviews; a fault of the data makes an episode without media."""
        self._header = {"sample_id": f"#{index}", "task": self.task.name}
        self._header |= {"category": "", "origin": ""}
        try:
            sample = self._samples[index]
            self._header.update(sample_id=sample.id, category=sample.category, origin=sample.origin)
            if self.config.option_order == "seeded":
                sample = with_shuffled_options(sample, self.task.option_key(index))
            config = self.task.config_for(index, self.config)
            return Episode(History(sample, config), config, self.operations)
        except DataError as fault:
            return Episode(None, self.config, self.operations, fault=str(fault))

    def _execute(self, episode: Episode, history: History, action: object, info: Info) -> Outcome:
        """Does an action and notes in `info` what it gave; raises for no action."""
        try:
            outcome = episode.execute(action, history, info)
            answer = outcome.answer
            grade = None if answer is None else self.task.grade(history.sample, answer)
        except OperationError as refusal:
            info["operation_error"] = refusal.kind
            return Outcome(feedback=str(refusal))
        except DataError as fault:
            episode.fault = str(fault)
            return Outcome(feedback="The files of this sample could not be read.")
        info.update(outcome.facts)
        if grade is not None:
            info["answer"] = answer
            info["grade"] = asdict(grade)
            info["reward_terms"]["score"] = float(grade.score)
        return outcome
