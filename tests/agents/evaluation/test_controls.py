"""One policy under every control: what zooming was worth."""

from __future__ import annotations

import json

import pytest
from tiny_tasks import ClipTask, PictureTask

import pixel_env
from pixel_env.agents.evaluation.controls import applicable_controls, evaluate_controls
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.policies.by_name import make_policy

SMALL = {
    **{"overview_px": (784, 7840), "crop_px": (784, 7840), "option_order": "as_given"},
    **{"width": 200, "height": 160},
}


class Reader:
    """Zooms into a wrong place, and answers right if it then sees the dark blue of the evidence."""

    name = "reader"
    dialect = None

    def reset(self, lane, seed=None):
        pass

    def act(self, observations, lanes):
        return [self.say(observation) for observation in observations]

    def say(self, observation):
        if observation["turn"] == 0:
            return pixel_env.zoom_in([0.0, 0.0, 0.2, 0.2])
        images = observation["images"]
        # red and green rise with x and y: 0.65 to 0.85 of 255 around the evidence
        is_there = bool(images) and images[0][..., 0].mean() > 150 and images[0].std() > 0
        return pixel_env.answer("D" if is_there else "A")


@pytest.fixture
def config(register, tmp_path):
    env_id = register("Pictures", PictureTask)
    return EvaluationConfig(env_id, SMALL, lanes=3, out=tmp_path / "out")


def test_a_policy_that_reads_is_lifted_by_the_evidence_alone(config):
    plain = evaluate(Reader(), config)
    controls = {each.name: each for each in evaluate_controls(Reader(), config, plain)}
    assert list(controls) == [
        "no-operations",
        "blank-views",
        "random-crop",
        "demonstration-crop",
        "aimed-crop",
    ]
    assert plain.overall.accuracy.mean == 0
    assert controls["demonstration-crop"].difference == (1, 1, 1)
    assert controls["no-operations"].difference == controls["blank-views"].difference == (0, 0, 0)
    assert {each.n_replaced for each in controls.values()} == {5}
    text = (config.out / "report.md").read_text()
    assert "## Were the operations needed?" in text
    assert "| demonstration-crop | 5 | 100.0% | 56.6 to 100.0 | +100.0 | 100.0 to 100.0 |" in text
    summary = json.loads((config.out / "summary.json").read_text())
    assert [each["name"] for each in summary["controls"]] == list(controls)
    assert summary["controls"][3]["difference"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    for name in controls:
        manifest = json.loads((config.out / "controls" / name / "manifest.json").read_text())
        assert manifest["control"] == [name]


def test_a_second_call_reads_what_is_there(config):
    plain = evaluate(make_policy("random"), config)
    first = evaluate_controls(make_policy("random"), config, plain)
    before = (config.out / "report.md").read_text()
    again = evaluate(make_policy("random"), config)
    assert again.results == plain.results
    second = evaluate_controls(make_policy("random"), config, again)
    assert list(map(repr, second)) == list(map(repr, first))
    assert (config.out / "report.md").read_text() == before


def test_evidence_that_is_not_known_cannot_be_demonstrated(register):
    config = EvaluationConfig(
        register("Clips", ClipTask), {"overview_px": (784, 1568), "frame_px": (784, 1568)}
    )
    plain = evaluate(make_policy("random"), config)
    assert "demonstration-crop" not in applicable_controls(plain.results)
    assert len(applicable_controls(plain.results)) == 3
