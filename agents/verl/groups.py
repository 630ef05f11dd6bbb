"""The rollouts of one sample, paid together though an engine runs each by itself.

verl 0.9.1 gives an advantage estimator the rewards, the masks and the groups, and nothing else of
a rollout. So the number of calls can't reach it, and the bonus is paid where it is known: a rollout
that has ended waits for the others of its group. It costs nothing, as verl takes a group whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pixel_env.chat.episode import EpisodeFacts
from pixel_env.curiosity.bonus import CuriosityConfig
from pixel_env.curiosity.group_rewards import group_rewards
from pixel_env.errors import ConfigError, unknown_name

COUNTS = {"calls": "n_calls", "executed": "n_operations"}
"""What makes a rollout count in RaPR, and the fact that counts it."""


@dataclass(frozen=True, slots=True)
class Pay:
    """What a rollout is paid."""

    reward: float
    """Score, bonus and penalty together; NaN where the rollout is left out."""
    bonus: float
    """What its calls earn it, at least 0."""
    penalty: float
    """What too many calls cost it, at most 0."""
    rapr: float
    """The share of its group's rollouts that count as users."""


@dataclass(slots=True, eq=False)
class _Group:
    n_joined: int = 0
    ended: list[EpisodeFacts | None] = field(default_factory=list)
    pays: asyncio.Future[list[Pay]] | None = None


class Place:
    """A rollout's place in its group."""

    def __init__(self, groups: Groups, uid: str) -> None:
        """Joins; `Groups.joined` makes places."""
        self._groups, self._uid = groups, uid
        self._number: int | None = None
        self._group = groups._join(uid)

    async def pay(self, facts: EpisodeFacts | None) -> Pay:
        """Says how the rollout ended, and waits until all of its group have.

        Args:
            facts: those of its episode; None: it is left out, as after a fault of the data.
        """
        await asyncio.sleep(0)  # one that awaited nothing must not end before others have joined
        self._end(facts)
        assert self._number is not None
        assert self._group.pays is not None
        return (await self._group.pays)[self._number]

    def leave(self) -> None:
        """Leaves a rollout out that never said how it ended, so that the others don't wait."""
        if self._number is None:
            self._end(None)

    def _end(self, facts: EpisodeFacts | None) -> None:
        if self._number is not None:
            raise ConfigError("expected a rollout to end once")
        self._number = len(self._group.ended)
        self._group.ended.append(facts)
        self._groups._settle(self._uid, self._group)


class Groups:
    """The groups whose rollouts run in one event loop.

    Every rollout of a group must join before anything is awaited in it. verl starts them in one
    go, and an event loop runs what is waiting in its order: so all of them have joined before the
    first one can end, and nobody needs to say how many there are.

    >>> async def rollout(groups, n_calls):
    ...     with groups.joined("sample") as place:
    ...         await asyncio.sleep(0)
    ...         return await place.pay(EpisodeFacts(0.0, n_calls, n_calls, video=False))
    >>> async def group():
    ...     groups = Groups()
    ...     return await asyncio.gather(*(rollout(groups, n) for n in (1, 0, 0, 0, 0)))
    >>> [round(pay.reward, 3) for pay in asyncio.run(group())]
    [0.05, 0.0, 0.0, 0.0, 0.0]
    """

    def __init__(self, config: CuriosityConfig | None = None, counts: str = "calls") -> None:
        """Begins without a group.

        Args:
            config: how calls are paid; None for the paper's.
            counts: what makes a rollout count in RaPR: any "calls", or "executed" operations.

        Raises:
            ConfigError: `counts` is neither.
        """
        if counts not in COUNTS:
            raise unknown_name("counts", counts, COUNTS)
        self.config = config or CuriosityConfig()
        self._used = COUNTS[counts]
        self._running: dict[str, _Group] = {}

    @contextmanager
    def joined(self, uid: str) -> Iterator[Place]:
        """Joins the group of a sample; a rollout that fails in this context is left out."""
        place = Place(self, uid)
        try:
            yield place
        finally:
            place.leave()

    def _join(self, uid: str) -> _Group:
        group = self._running.setdefault(uid, _Group())
        if group.pays is None:
            group.pays = asyncio.get_running_loop().create_future()
        group.n_joined += 1
        return group

    def _settle(self, uid: str, group: _Group) -> None:
        """Pays a group whose last rollout has ended, and forgets it."""
        if len(group.ended) < group.n_joined:
            return
        del self._running[uid]
        assert group.pays is not None
        group.pays.set_result(self._paid(group.ended))

    def _paid(self, ended: list[EpisodeFacts | None]) -> list[Pay]:
        known = [each or EpisodeFacts(0.0, 0, 0, video=False, fault="left out") for each in ended]
        paid = group_rewards(
            [each.score for each in known],
            [each.n_calls for each in known],
            [getattr(each, self._used) > 0 for each in known],
            [bool(each.fault) for each in known],
            [each.video for each in known],
            config=self.config,
        )
        columns = (paid.rewards, paid.bonus, paid.penalty, paid.rapr)
        return [Pay(*map(float, row)) for row in zip(*columns, strict=True)]
