"""A small network that zooms: what the question asks for decides what is seen in each view.

For stable-baselines3, over the observations of `FlatPixelEnv`.
"""

from __future__ import annotations

import math

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn
from torch.nn import functional as F

from pixel_env.flat.spaces import N_CHARACTERS, SLOT_NUMBERS

LETTER_NUMBERS = 16
"""Numbers that stand for a character."""

PATCH = 4
"""Side in pixels of the patches that the eye begins with."""

SURROUND_PX = 7
"""Side in pixels of the square around a pixel whose mean it is compared with; odd."""

DETAIL_GAIN = 12.0
"""Brings differences to the surround, in grey from 0 to 1, to the size of colours."""


class LookExtractor(BaseFeaturesExtractor):
    """Every view through one convolutional eye, under the question's control; views apart.

    Pieces of five characters of the question are detected wherever they stand. What is found
    scales and shifts the eye's channels (FiLM, Perez et al. 2018), so that a colour that is asked
    for differs from the others. The overview and the later views have an output layer each,
    and a view that isn't there costs nothing and gives zeros.

    A letter is one pixel in a hundred of a view. So the eye also gets each pixel's difference to
    its surround, and what it gives is normalised before its output layer: without both, letters
    were not learnt within the samples tried, even from labels.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        width: int = 32,
        text_width: int = 64,
        view_features: int = 64,
    ) -> None:
        """Makes the network.

        Args:
            observation_space: `FlatConfig.observation_space`, its pictures with channels first, as
                stable-baselines3 turns them.
            width: channels of the eye's first layer.
            text_width: how many pieces of text are detected.
            view_features: features of each view.
        """
        views, question = observation_space["views"], observation_space["question"]
        assert isinstance(question, spaces.MultiDiscrete)  # by `FlatConfig.observation_space`
        assert views.shape is not None
        n_views, side = views.shape[0] // 3, views.shape[1]
        n_boxes, n_counters = SLOT_NUMBERS * n_views, spaces.flatdim(observation_space["counters"])
        n_texts = 1 + ("choices" in observation_space.spaces)
        total = n_views * view_features + n_texts * text_width + n_boxes + n_counters
        super().__init__(observation_space, total)
        self._n_views, self._view_features = n_views, view_features
        self.letters = nn.Linear(N_CHARACTERS, LETTER_NUMBERS, bias=False)
        self.pieces = nn.Conv1d(LETTER_NUMBERS, text_width, 5, padding=2)
        self.text_norm = nn.LayerNorm(text_width)
        self.eye = nn.Sequential(
            nn.Conv2d(4, width, PATCH, stride=PATCH),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.control = nn.Linear(text_width, 4 * width)
        self.mix = nn.Conv2d(2 * width, max(width // 2, 1), 1)
        n_seen = self.mix.out_channels * math.ceil(side // PATCH / 2) ** 2
        self.view_norm = nn.LayerNorm(n_seen)
        self.overview = nn.Linear(n_seen, view_features)
        self.later = nn.Linear(n_seen, view_features)

    def forward(self, observations: dict[str, torch.Tensor]) -> torch.Tensor:
        """Returns (batch, features_dim) float32.

        Args:
            observations: preprocessed by stable-baselines3: `views` (batch, 3 * n_views, side,
                side) in [0, 1], texts one-hot and flattened.
        """
        views, boxes = observations["views"], observations["boxes"]
        n = len(views)
        asked = self._read(observations["question"])  # (batch, text_width)
        there = boxes.reshape(n * self._n_views, SLOT_NUMBERS)[:, 0] > 0
        shown = there.nonzero().squeeze(1)  # places of the views that are there
        pictures = views.reshape(n * self._n_views, 3, *views.shape[2:])[shown]
        seen = self.eye(_with_detail(pictures))  # (shown, 2 * width, height, width)
        scale, shift = self.control(asked)[shown // self._n_views].chunk(2, dim=1)
        seen = self.mix(seen * (1 + scale[:, :, None, None]) + shift[:, :, None, None])
        flat = self.view_norm(F.relu(seen).flatten(1))
        is_later = (shown % self._n_views > 0)[:, None]
        features = F.relu(torch.where(is_later, self.later(flat), self.overview(flat)))
        of_all = features.new_zeros(n * self._n_views, self._view_features)
        parts = [of_all.index_copy(0, shown, features).reshape(n, -1), asked, boxes]
        parts.append(observations["counters"])
        if "choices" in observations:
            parts.append(self._read(observations["choices"]))
        return torch.cat(parts, dim=1)

    def _read(self, text: torch.Tensor) -> torch.Tensor:
        """Returns which pieces a text holds: (batch, text_width), from (batch, length * ids)."""
        letters = self.letters(text.reshape(len(text), -1, N_CHARACTERS))
        found: torch.Tensor = self.text_norm(F.relu(self.pieces(letters.transpose(1, 2))).amax(2))
        return found


def _with_detail(pictures: torch.Tensor) -> torch.Tensor:
    """Returns (n, 4, height, width): colours in [-1, 1], and grey beside its surround."""
    grey = pictures.mean(dim=1, keepdim=True)
    reach = SURROUND_PX // 2
    surround = F.avg_pool2d(grey, SURROUND_PX, 1, reach, count_include_pad=False)
    return torch.cat([2 * pictures - 1, DETAIL_GAIN * (grey - surround)], dim=1)
