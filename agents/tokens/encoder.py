"""From an observation to tokens, exactly once.

Messages are written in ChatML, piece by piece: the first piece has the system message, the
first observation and the header of the policy's message; every later piece has what stands
between two messages of the policy. Pieces and sampled tokens, put one after the other, are the
whole context: no chat template is run over it, and nothing is tokenised again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from pixel_env.chat.conversation import SystemPrompt, system_text
from pixel_env.dialects.grammar.dialect import Dialect, Part
from pixel_env.errors import ConfigError
from pixel_env.media.rgb import Image
from pixel_env.types import Observation

from .trajectory import EncodedImage, Ids, Piece

START = "<|im_start|>"
END = "<|im_end|>"
VISION_START = "<|vision_start|>"
VISION_END = "<|vision_end|>"
IMAGE = "<|image_pad|>"
VIDEO = "<|video_pad|>"


class Encoder:
    """Turns observations and messages into tokens, and sampled tokens into text.

    Text is always taken literally: a question with "<|im_end|>" in it gives the characters of
    it, not the token.

    Attributes:
        tokenizer: a fast tokenizer that knows ChatML's and the vision tokens.
        image_processor: a Qwen2-VL image processor (patch, merge and temporal sizes are its).
        dialect: how observations are written.
        system: "full", "brief" or "none".
        end_id: the token that closes a message.
        pad_id: the token that fills up a batch.
        image_id: the token that a picture's features replace.
    """

    def __init__(
        self,
        tokenizer: Any,
        image_processor: Any,
        dialect: Dialect,
        system: SystemPrompt = "full",
    ) -> None:
        """Checks that the tokenizer knows every token of the format.

        Raises:
            ConfigError: a token is missing, text can't be taken literally, or `system` is not
                one of the three names.
        """
        system_text(dialect, system)  # refuses another name
        self.tokenizer = tokenizer
        self.image_processor = image_processor
        self.dialect = dialect
        self.system = system
        self._start_id = self._id(START)
        self.end_id = self._id(END)
        self._vision_start_id = self._id(VISION_START)
        self._vision_end_id = self._id(VISION_END)
        self.image_id = self._id(IMAGE)
        pad = tokenizer.pad_token_id
        self.pad_id: int = self.end_id if pad is None else int(pad)
        self._forbidden: dict[int, torch.Tensor] = {}
        self._check_literal()
        self._newline = self._text_ids("\n")

    def system_prompt(self) -> str | None:
        """Returns the system message; None where there is none."""
        return system_text(self.dialect, self.system)

    def open(self, observation: Observation) -> Piece:
        """Returns the first piece: system message, first observation, header of the answer.

        Raises:
            ConfigError: a picture's sides are no multiple of patch size times merge size.
        """
        parts: list[Part] = list(self.dialect.tell(observation))
        opening: list[int] = []
        prompt = self.system_prompt()
        if prompt is not None:
            opening = [*self._header("system"), *self._text_ids(prompt), self.end_id]
            opening += self._newline
        return self._piece(opening, parts)

    def follow(self, observation: Observation, closed: bool = True) -> Piece:
        """Returns the piece after a message of the policy.

        Args:
            observation: what the environment returned for the message.
            closed: whether the message ended with its closing token; if it was cut off, the
                piece begins with that token.

        Raises:
            ConfigError: a picture's sides are no multiple of patch size times merge size.
        """
        opening = ([] if closed else [self.end_id]) + self._newline
        return self._piece(opening, list(self.dialect.tell(observation)))

    def message_ids(self, text: str) -> Ids:
        """Returns a message of the policy as tokens, (length,) int64, with its closing token."""
        return np.array([*self._text_ids(text), self.end_id], np.int64)

    def texts(self, messages: Sequence[Ids]) -> list[str]:
        """Returns the text of each sampled message, without its closing token."""
        trimmed = [m[:-1] if len(m) and m[-1] == self.end_id else m for m in messages]
        decoded: list[str] = self.tokenizer.batch_decode(
            [m.tolist() for m in trimmed], clean_up_tokenization_spaces=False
        )
        return decoded

    def forbidden_ids(self, vocab_size: int) -> Ids:
        """Returns the ids that a policy must not sample, sorted, (n,) int64.

        These are all special tokens but the closing one (an image token without an image makes
        a forward pass fail), and rows of the output layer that no token belongs to.
        """
        special = {int(i) for i in self.tokenizer.all_special_ids}
        special |= {
            int(i) for i, token in self.tokenizer.added_tokens_decoder.items() if token.special
        }
        unknown = set(range(len(self.tokenizer), vocab_size))
        return np.array(sorted((special | unknown) - {self.end_id}), np.int64)

    def forbidden_mask(self, vocab_size: int) -> torch.Tensor:
        """Returns (vocab_size,) bool, True where a policy must not sample a token."""
        if vocab_size not in self._forbidden:
            mask = torch.zeros(vocab_size, dtype=torch.bool)
            mask[torch.from_numpy(self.forbidden_ids(vocab_size))] = True
            self._forbidden[vocab_size] = mask
        return self._forbidden[vocab_size]

    def images(self, pictures: Sequence[Image]) -> tuple[EncodedImage, ...]:
        """Cuts pictures, (height, width, 3) uint8 each, into normalised patches.

        Raises:
            ConfigError: a side is no multiple of patch size times merge size: resizing here
                would make the coordinates that a policy sees differ from the environment's.
        """
        if not pictures:
            return ()
        patch, merge = self.image_processor.patch_size, self.image_processor.merge_size
        side = patch * merge
        for picture in pictures:
            height, width = picture.shape[:2]
            if height % side or width % side:
                raise ConfigError(
                    f"expected pictures with sides that are multiples of {side} (patches of "
                    f"{patch} px, {merge} x {merge} to a token), got {width} x {height}; "
                    f"make the environment with side_multiple={side}"
                )
        encoded = self.image_processor(
            images=list(pictures),
            do_resize=False,
            input_data_format="channels_last",
            return_tensors="np",
        )
        grids = [(int(t), int(h), int(w)) for t, h, w in encoded["image_grid_thw"]]
        ends = np.cumsum([t * h * w for t, h, w in grids])
        blocks = np.split(np.asarray(encoded["pixel_values"], np.float32), ends[:-1])
        return tuple(
            EncodedImage(block, grid, merge) for block, grid in zip(blocks, grids, strict=True)
        )

    def _piece(self, opening: list[int], parts: Sequence[Part]) -> Piece:
        images = self.images([part for part in parts if not isinstance(part, str)])
        waiting = iter(images)
        ids = opening + self._header("user")
        starts: list[int] = []
        for part in parts:
            if isinstance(part, str):
                ids += self._text_ids(part)
                continue
            ids.append(self._vision_start_id)
            starts.append(len(ids))
            ids += [self.image_id] * next(waiting).n_tokens
            ids.append(self._vision_end_id)
        ids += [self.end_id, *self._newline, *self._header("assistant")]
        return Piece(np.array(ids, np.int64), images, tuple(starts))

    def _header(self, role: str) -> list[int]:
        return [self._start_id, *self._text_ids(role + "\n")]

    def _text_ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(
            text, add_special_tokens=False, split_special_tokens=True
        )
        return ids

    def _id(self, token: str) -> int:
        found = self.tokenizer.convert_tokens_to_ids(token)
        if found is None or found == self.tokenizer.unk_token_id:
            raise ConfigError(f"expected a tokenizer that knows {token}, got one that doesn't")
        return int(found)

    def _check_literal(self) -> None:
        control = set(self.tokenizer.convert_tokens_to_ids([START, END, VISION_START, IMAGE]))
        if control & set(self._text_ids(START + END + VISION_START + IMAGE)):
            raise ConfigError(
                "expected a fast tokenizer that can take special tokens literally "
                f"(split_special_tokens), got {type(self.tokenizer).__name__}"
            )
