"""The arms of the learning-trap experiment: which run each one is, and on which it builds.

The paper (arXiv 2505.15966) compares five arms; the others ask what its bonus could be instead.
Arms of one seed share their warm start, so they differ in what follows and in nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pixel_env.errors import ConfigError, unknown_name

from ..on_policy.curiosity_options import CuriosityOptions
from ..run.config import RunConfig, tiny_defaults

STARTS = ("warm", "plain", "base")
"""What an arm's RL begins with: the warm start, the one without self-correction, the base model."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm.

    Attributes:
        name: of its folder.
        title: of its line in the table.
        start: one of `STARTS`.
        curiosity: what the RL pays besides the score; None: there is no RL.
    """

    name: str
    title: str
    start: str
    curiosity: CuriosityOptions | None


_PAPER = CuriosityOptions()

ARMS = (
    Arm("warm-start", "warm start only", "warm", None),
    Arm("no-curiosity", "RL without curiosity", "warm", replace(_PAPER, enabled=False)),
    Arm("curiosity", "RL with curiosity", "warm", _PAPER),
    Arm("no-warm-start", "RL without warm start", "base", _PAPER),
    Arm("no-correction", "RL, warm start without correction data", "plain", _PAPER),
    Arm(
        "executed",
        "RL, bonus for executed operations only",
        "warm",
        replace(_PAPER, counts="executed"),
    ),
    Arm(
        "adaptive",
        "RL, threshold from history",
        "warm",
        replace(_PAPER, threshold_from="category history"),
    ),
    Arm("evidence", "RL, bonus for evidence in view", "warm", replace(_PAPER, counts="evidence")),
    Arm("belief", "RL, bonus for a belief that rose", "warm", replace(_PAPER, counts="belief")),
)

VARIANTS = ("executed", "adaptive", "evidence", "belief")
"""Arms with another bonus than the paper's."""


@dataclass(frozen=True, slots=True)
class TrapConfig:
    """What is compared, and on what stage it is set.

    By default it is set where zooming does not pay yet: half of the demonstrations zoom, so does
    the policy, but most of its calls are refused. The bonus is larger than the paper's, whose
    alpha and threshold do not hold at this size.
    """

    arms: tuple[str, ...] = tuple(arm.name for arm in ARMS)
    """Names of the arms."""
    seeds: tuple[str, ...] = ("0", "1", "2")
    """Each arm runs once with each of them."""
    env: str = "PixelReason-SyntheticSearch-v0"
    """Id of the task set: a procedural twin, with easy and hard questions."""
    demonstrations: int = 800
    """Demonstrations of the warm start: fewer make a policy that zooms less precisely."""
    epochs: int = 2
    """Passes over them."""
    iterations: int = 80
    """Iterations of RL."""
    learning_rate: float = 3e-4
    """Of the RL."""
    warmup_share: float = 0.03
    """Share of the RL's steps in which the rate rises to that."""
    text_only: float = 0.5
    """Share of demonstrations that answer at once: sets the RaPR of the warm start."""
    easy_share: float = 0.5
    """Share of questions that the overview answers, while training and while measuring."""
    eval_samples: int = 300
    """Samples of the test split that every arm is measured on."""
    alpha: float = 1.0
    """Weight of the bonus; the paper's is 0.5."""
    threshold: float = 0.7
    """Rate of pixel-space reasoning from which on nothing is paid; the paper's is 0.3."""

    def __post_init__(self) -> None:
        """Checks the names; the runs check the numbers.

        Raises:
            ConfigError: an arm is unknown, or a seed is no whole number.
        """
        for name in self.arms:
            if name not in _BY_NAME:
                raise unknown_name("arm", name, _BY_NAME)
        for seed in self.seeds:
            if not str(seed).isdecimal():
                raise ConfigError(f"expected seeds to be whole numbers, got {seed!r}")
        if not self.arms or not self.seeds:
            raise ConfigError("expected at least one arm and one seed")

    @property
    def chosen(self) -> tuple[Arm, ...]:
        """The arms, in the table's order."""
        return tuple(arm for arm in ARMS if arm.name in self.arms)


_BY_NAME: Mapping[str, Arm] = {arm.name: arm for arm in ARMS}


@dataclass(frozen=True, slots=True)
class Job:
    """One run of the experiment.

    Attributes:
        name: as progress shows it.
        folder: where it leaves what it finds.
        config: its settings.
        stage: the stage of the run that the arm is measured at.
    """

    name: str
    folder: Path
    config: RunConfig
    stage: str


def warm_starts(config: TrapConfig, root: Path) -> list[Job]:
    """Returns the warm starts that the chosen arms build on; they need no other run."""
    needed = {arm.start for arm in config.chosen}
    jobs = []
    for seed in config.seeds:
        for start in ("warm", "plain"):
            if start in needed:
                run = replace(_run(config, seed, start), rl=False)
                jobs.append(
                    Job(f"{start}, seed {seed}", _folder(root, seed, start), run, "warm start")
                )
    return jobs


def trainings(config: TrapConfig, root: Path) -> list[Job]:
    """Returns the RL of every chosen arm; each needs its seed's warm start."""
    jobs = []
    for seed in config.seeds:
        for arm in config.chosen:
            if arm.curiosity is None:
                continue
            run = replace(
                _run(config, seed, arm.start),
                warm_start=False,
                measure_base=False,
                curiosity=_weighted(arm.curiosity, config),
            )
            if arm.start != "base":
                run = replace(run, model=str(_folder(root, seed, arm.start) / "model"))
            folder = _folder(root, seed, arm.name)
            jobs.append(Job(f"{arm.name}, seed {seed}", folder, run, "RL"))
    return jobs


def results_folder(arm: Arm, seed: str, root: Path) -> Path:
    """Returns where an arm's evaluated episodes are."""
    if arm.curiosity is None:
        return _folder(root, seed, arm.start) / "evaluation" / "warm_start"
    return _folder(root, seed, arm.name) / "evaluation" / "RL"


def curves_folder(arm: Arm, seed: str, root: Path) -> Path:
    """Returns where the metrics of an arm's RL are."""
    return _folder(root, seed, arm.name) / "on_policy"


def _folder(root: Path, seed: str, name: str) -> Path:
    return root / f"seed-{seed}" / name


def _run(config: TrapConfig, seed: str, start: str) -> RunConfig:
    """Returns the tiny policy's run with the experiment's stage."""
    run = tiny_defaults()
    demonstrations = replace(
        run.demonstrations,
        n=config.demonstrations,
        pixel_space=1 - config.text_only,
        text_only=config.text_only,
    )
    if start == "plain":
        demonstrations = replace(
            demonstrations,
            single_pass=1.0,
            recrop=0.0,
            recrop_twice=0.0,
            select_frames=1.0,
            reselect_frames=0.0,
        )
    return replace(
        run,
        seed=int(seed),
        threads=1,
        env=config.env,
        env_args={**run.env_args, "easy_share": config.easy_share},
        eval_args={**run.eval_args, "easy_share": config.easy_share},
        eval_samples=config.eval_samples,
        demonstrations=demonstrations,
        imitation=replace(run.imitation, epochs=config.epochs),
        on_policy=replace(
            run.on_policy,
            iterations=config.iterations,
            learning_rate=config.learning_rate,
            warmup_share=config.warmup_share,
        ),
    )


def _weighted(options: CuriosityOptions, config: TrapConfig) -> CuriosityOptions:
    return replace(options, alpha=config.alpha, threshold=config.threshold)
