"""What a policy believes: how likely it takes the right answer to be, in a conversation it is in.

The conversation is taken in its recorded tokens, cut off at a moment. The right answer is put
behind it as a demonstration would declare it, and scored as in training.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pixel_env.actions import answer
from pixel_env.curiosity.belief_gain import Moment
from pixel_env.dialects.grammar.dialect import Shown
from pixel_env.errors import ConfigError

from ..generation.speaker import Speaker
from ..model.backbone import Backbone
from ..model.scoring import score
from ..tokens.encoder import Encoder
from ..tokens.trajectory import Ids, TokenTrajectory
from ..training.micro_batches import micro_batches
from ..warm_start.right_answers import right_answers
from ..warm_start.wording import BRIEF


class PolicyBelief:
    r"""The belief of a model in the right answers of its samples; see `BeliefGain`.

    The right answer is written as a message, "I see a mug. \boxed{B}" in the dialect's form. What
    it shares with one of an empty answer is given, so that it doesn't matter how likely the policy
    is to answer at this moment, or in this form. The belief is the sum of the log-probabilities
    of the other tokens, here of "a mug" and "B", and of what follows the last of them: ln p of the
    answer and no more, given that one is declared in this way.
    """

    def __init__(
        self, model: Any, encoder: Encoder, temperature: float = 1.0, tokens_at_once: int = 16_384
    ) -> None:
        """Takes the model, which may be trained between two collections.

        Args:
            model: a Qwen2.5-VL or Qwen3-VL model, bare or wrapped by peft.
            encoder: that of the conversations.
            temperature: that of generation.
            tokens_at_once: tokens that go through the model at once.
        """
        self._model = model
        self._encoder = encoder
        self._temperature = temperature
        self._tokens_at_once = tokens_at_once
        self._speaker: Speaker | None = None
        self._known: dict[Hashable, float] = {}

    def follow(self, speaker: Speaker) -> None:
        """Takes the conversations that it will be asked about, and forgets those before.

        Args:
            speaker: has them; its lanes have the numbers of the environment's.
        """
        self._speaker = speaker
        self._known = {}

    def __call__(self, moments: Sequence[Moment]) -> list[float]:
        """Returns the belief at each moment, in nats; what is asked twice is scored once.

        Raises:
            ConfigError: it follows no conversations.
        """
        asked = [self._questions(moment) for moment in moments]
        new = {
            key: question
            for questions in asked
            for key, question in questions.items()
            if key not in self._known
        }
        self._known |= zip(new, self._scored(list(new.values())), strict=True)
        return [max(self._known[key] for key in questions) for questions in asked]

    def _questions(self, moment: Moment) -> dict[Hashable, TokenTrajectory]:
        """Returns the conversation with each right answer behind it."""
        if self._speaker is None:
            raise ConfigError("expected `follow` to be called before a belief is asked for")
        record = self._speaker.record(moment.lane).until(moment.n_told)
        questions: dict[Hashable, TokenTrajectory] = {}
        for named, declared in right_answers(moment.sample):
            message, asked = self._message(named, declared)
            answered = record.until(moment.n_told)
            answered.add_response(message)
            question = replace(
                answered.build(sample_id=moment.sample.id),
                trainable=np.concatenate([np.zeros(len(record), np.bool_), asked]),
            )
            # The lanes keep their pictures as long as they run, so that no id is given twice.
            questions[question.ids.tobytes(), tuple(map(id, question.images))] = question
        return questions

    def _message(self, named: str, declared: str) -> tuple[Ids, NDArray[np.bool_]]:
        """Returns the tokens of an answer, and which of them are scored; both (length,)."""
        message, empty = (
            self._encoder.message_ids(
                self._encoder.dialect.compose(
                    BRIEF["seen"][0].format(answer=thing), answer(text), Shown(sizes=())
                )
            )
            for thing, text in ((named, declared), ("", ""))
        )
        asked = np.ones(len(message), np.bool_)
        shared = SequenceMatcher(None, empty.tolist(), message.tolist(), autojunk=False)
        for block in shared.get_matching_blocks():
            asked[block.b : block.b + block.size] = False
        starts = np.flatnonzero(asked & ~np.roll(asked, 1))
        asked[starts[-1] if len(starts) else -1 :] = True  # also the end: "1" is not "12"
        return message, asked

    def _scored(self, questions: Sequence[TokenTrajectory]) -> list[float]:
        """Returns the log-probability of each answer."""
        found = [0.0] * len(questions)
        was_training = self._model.training
        self._model.eval()
        try:
            with torch.no_grad():
                packs = Backbone(self._model).packs
                for part in micro_batches(questions, self._tokens_at_once, packs):
                    batch = [questions[index] for index in part]
                    scores = score(self._model, batch, self._encoder, self._temperature)
                    for index, total in zip(part, scores.logprobs.sum(1).tolist(), strict=True):
                        found[index] = total
        finally:
            self._model.train(was_training)
        return found
