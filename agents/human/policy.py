"""The policy "human": every action is a person's."""

from __future__ import annotations

import logging
import threading
import time
import webbrowser
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from pixel_env.types import Action, Observation
from pixel_env.viewer.server import LoopbackServer

from ..served.usage import Usage
from .board import Board
from .browser import respond

_LAST_WORD_S = 0.3
"""How long the server goes on at the end, so that the page learns that it is the end."""

logger = logging.getLogger(__name__)


class HumanPolicy:
    """Asks a person, who gets what every policy gets: the same pixels, sentences and limits.

    Attributes:
        board: what is asked and given; whoever shows it to the person reads it.
    """

    name = "human"
    dialect = None

    def __init__(self, port: int = 0, opens_browser: bool = True, serves: bool = True) -> None:
        """Takes how the person is asked.

        Args:
            port: of the page's address; 0 takes a free one.
            opens_browser: whether a browser is opened with it; its address is logged anyway.
            serves: whether there is a page at all; False where something else shows the board.
        """
        self.board = Board()
        self._port, self._opens_browser, self._serves = port, opens_browser, serves
        self._server: LoopbackServer | None = None
        self._starting = threading.Lock()

    @property
    def address(self) -> str:
        """The page's address; the server starts with the first use."""
        with self._starting:
            if self._server is None:
                board = partial(respond, self.board)
                self._server = LoopbackServer(board, self._port, takes_posts=True)
                logger.warning("play at %s", self._server.address)
                if self._opens_browser:
                    webbrowser.open(self._server.address)
            return self._server.address

    def reset(self, lane: int, seed: int | None = None) -> None:
        """Starts an episode in a lane and forgets the last one there."""
        self.board.begin(lane)

    def ask(self, observation: Observation, lane: int) -> Future[Action]:
        """Shows a turn to the person, and gives the action to come."""
        if self._serves:
            _ = self.address
        return self.board.ask(observation, lane)

    def act(self, observations: Sequence[Observation], lanes: Sequence[int]) -> list[Action]:
        """Waits for the person's action in every lane."""
        asked = [self.ask(*each) for each in zip(observations, lanes, strict=True)]
        return [each.result() for each in asked]

    def usage(self, lane: int) -> Usage:
        """Returns the actions of a lane's episode and the seconds that they took."""
        seconds = self.board.seconds(lane)
        return Usage(requests=len(seconds), seconds=sum(seconds))

    def message_facts(self, lane: int) -> Mapping[str, Any]:
        """Returns the seconds of the last action, and what the person wrote beside it."""
        seconds, thought = self.board.seconds(lane), self.board.thought(lane)
        facts: dict[str, Any] = {"seconds": seconds[-1]} if seconds else {}
        return facts | ({"reasoning": thought} if thought else {})

    def close(self) -> None:
        """Says that there is no further question, and ends the server."""
        self.board.finish()
        with self._starting:
            if self._server is not None:
                time.sleep(_LAST_WORD_S)
                self._server.close()
                self._server = None
