"""The arms of an experiment differ in what they are about and in nothing else."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pixel_env import ConfigError
from pixel_env.agents.learning_trap.arms import (
    ARMS,
    TrapConfig,
    results_folder,
    trainings,
    warm_starts,
)
from pixel_env.agents.on_policy.curiosity_options import CuriosityOptions

ROOT = Path("runs")


def by_name(jobs):
    return {job.folder.name: job.config.seeded() for job in jobs}


def test_arms_of_a_seed_share_one_warm_start():
    config = TrapConfig(seeds=("3",))
    starts, runs = warm_starts(config, ROOT), by_name(trainings(config, ROOT))
    assert [job.folder for job in starts] == [ROOT / "seed-3" / "warm", ROOT / "seed-3" / "plain"]
    assert all(job.config.warm_start and not job.config.rl for job in starts)
    models = {name: run.model for name, run in runs.items()}
    assert models.pop("no-warm-start") == "tiny"
    assert models.pop("no-correction") == str(ROOT / "seed-3" / "plain" / "model")
    assert set(models.values()) == {str(ROOT / "seed-3" / "warm" / "model")}


def test_arms_differ_in_what_is_paid_alone():
    runs = by_name(trainings(TrapConfig(seeds=("0",)), ROOT))
    paid = {name: run.curiosity for name, run in runs.items()}
    same = [run for name, run in runs.items() if name != "no-correction"]
    rest = [asdict(replace(run, curiosity=CuriosityOptions(), model="")) for run in same]
    assert len(rest) == 7
    assert all(each == rest[0] for each in rest)
    assert not paid["no-curiosity"].enabled
    assert paid["curiosity"] == paid["no-correction"] == paid["no-warm-start"]
    assert paid["executed"].counts == "executed"
    assert paid["evidence"].counts == "evidence"
    assert paid["belief"].counts == "belief"
    assert paid["adaptive"].threshold_from == "category history"


def test_a_warm_start_without_correction_shows_right_looks_alone():
    plain = by_name(warm_starts(TrapConfig(seeds=("0",)), ROOT))["plain"].demonstrations
    assert (plain.single_pass, plain.recrop, plain.recrop_twice) == (1.0, 0.0, 0.0)


def test_settings_reach_every_run():
    config = TrapConfig(
        seeds=("0", "5"),
        env="PixelReason-SyntheticClip-v0",
        demonstrations=77,
        epochs=3,
        iterations=9,
        learning_rate=2e-5,
        warmup_share=0.2,
        alpha=1.5,
        threshold=0.6,
    )
    jobs = warm_starts(config, ROOT) + trainings(config, ROOT)
    assert {job.config.seed for job in jobs} == {0, 5}
    assert {job.config.env for job in jobs} == {"PixelReason-SyntheticClip-v0"}
    rl = [job.config.on_policy for job in jobs]
    assert {(each.iterations, each.learning_rate, each.warmup_share) for each in rl} == {
        (9, 2e-5, 0.2)
    }
    assert {job.config.demonstrations.n for job in jobs} == {77}
    assert {job.config.imitation.epochs for job in jobs} == {3}
    paid = {(job.config.curiosity.alpha, job.config.curiosity.threshold) for job in jobs}
    assert paid == {(None, None), (1.5, 0.6)}  # warm starts are paid nothing


def test_the_stage_is_the_same_in_training_and_measuring():
    config = TrapConfig(seeds=("0",), text_only=0.25, easy_share=0.75)
    jobs = warm_starts(config, ROOT) + trainings(config, ROOT)
    assert all(job.config.env_args == {"split": "train", "easy_share": 0.75} for job in jobs)
    assert all(job.config.eval_args == {"split": "test", "easy_share": 0.75} for job in jobs)
    mixes = [job.config.demonstrations for job in jobs]
    assert {(mix.pixel_space, mix.text_only) for mix in mixes} == {(0.75, 0.25)}


def test_an_arm_without_training_is_measured_after_its_warm_start():
    assert results_folder(ARMS[0], "1", ROOT) == ROOT / "seed-1/warm/evaluation/warm_start"


@pytest.mark.parametrize("wrong", [{"arms": ("curious",)}, {"seeds": ("x",)}, {"seeds": ()}])
def test_unknown_arms_and_seeds_are_refused(wrong):
    with pytest.raises(ConfigError):
        TrapConfig(**wrong)
