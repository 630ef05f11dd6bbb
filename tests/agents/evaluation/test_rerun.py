"""A manifest gives the same episodes again, or says what differs."""

from __future__ import annotations

import json

import pytest
from tiny_tasks import PictureTask

from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.evaluation.rerun import compare_results, rerun
from pixel_env.agents.evaluation.results import read_results
from pixel_env.agents.policies.by_name import make_policy, remake_policy
from pixel_env.agents.tiny.model import blank_model, save, train_tokenizer
from pixel_env.errors import ConfigError, DataError

SMALL = {"overview_px": (784, 7840), "crop_px": (784, 7840), "width": 200, "height": 160}


@pytest.fixture
def evaluated(register, tmp_path):
    """Evaluates on five pictures and returns the folder."""
    env_id = register("Pictures", PictureTask)

    def run(policy, **fields):
        out = tmp_path / "out"
        settings = {"lanes": 2, "env_kwargs": SMALL, "out": out} | fields
        evaluate(policy, EvaluationConfig(env_id, **settings))
        return out

    return run


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model that says nonsense at random."""
    folder = tmp_path_factory.mktemp("model")
    tokenizer = train_tokenizer(["<tool_call> hidden picture", "\\boxed{A} \\boxed{B}"] * 9)
    save(folder, blank_model(tokenizer), tokenizer)
    return folder


def test_random_policy_gives_the_same_episodes(evaluated, tmp_path):
    out = evaluated(
        make_policy("random", look=0.7), repeats=2, seed=4, control=("random-crop",), samples=4
    )
    found = rerun(out / "manifest.json")
    assert (found.n, found.warnings, found.differences) == (8, (), ())
    assert found.is_identical
    assert rerun(out, out=tmp_path / "again").is_identical
    for name in ("results.jsonl", "trajectories.jsonl", "summary.json", "manifest.json"):
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes()


def test_sampled_model_gives_the_same_episodes(evaluated, model):
    policy = make_policy(
        f"vlm:{model}", greedy=False, temperature=1.5, max_new_tokens=6, system="brief"
    )
    out = evaluated(policy, repeats=2, samples=2)
    manifest = json.loads((out / "manifest.json").read_text())
    assert "crop_image_normalized" in manifest["policy_facts"]["system_prompt"]
    assert {"config.json", "model.safetensors"} <= manifest["policy_facts"]["files"].keys()
    assert all(len(digest) == 64 for digest in manifest["policy_facts"]["files"].values())
    messages = {
        json.loads(line)["turns"][0]["message"] for line in (out / "trajectories.jsonl").open()
    }
    assert len(messages) > 2
    assert rerun(out).is_identical
    remade = remake_policy(manifest)
    assert remade.settings() == policy.settings()


def test_other_weights_are_refused(evaluated, model, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in model.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    out = evaluated(make_policy(f"vlm:{copy}", max_new_tokens=2, system="none"), samples=1)
    settings = json.loads((copy / "generation_config.json").read_text())
    (copy / "generation_config.json").write_text(json.dumps({**settings, "temperature": 0.3}))
    with pytest.raises(ConfigError, match=r"policy_facts\.files\.generation_config\.json was"):
        rerun(out)


def change(out, **entries):
    path = out / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_changed_data_is_refused(evaluated):
    out = evaluated(make_policy("random"))
    change(out, data="pictures:5:another")
    with pytest.raises(ConfigError, match="data was 'pictures:5:another', is 'pictures:5'"):
        rerun(out)


def test_other_versions_and_revisions_are_warned_of(evaluated):
    out = evaluated(make_policy("random"))
    packages = json.loads((out / "manifest.json").read_text())["packages"]
    change(out, git_revision="0" * 40, packages=packages | {"numpy": "1.0"})
    found = rerun(out)
    assert found.is_identical
    warned = {warning.partition(" was ")[0] for warning in found.warnings}
    assert warned == {"packages.numpy", "git_revision"}


def test_what_differs_is_named_by_episode_and_field(evaluated):
    out = evaluated(make_policy("random"))
    path = out / "results.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[1] |= {"answer": "Z", "n_turns": 99}
    del lines[3]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = rerun(out)
    assert not found.is_identical
    second, fourth = found.differences
    assert second.startswith("picture-1: answer was 'Z', is ")
    assert "n_turns was 99" in second
    assert fourth == "picture-3: missing in the saved results"


def test_results_that_are_gone_are_missed(evaluated):
    results = read_results(evaluated(make_policy("direct")) / "results.jsonl")
    assert compare_results(results, results) == ()
    assert compare_results(results, results[1:]) == ("picture-0: missing in the new results",)


def test_policy_that_was_not_made_by_name_cannot_be_replayed(evaluated):
    class Mine:
        name, dialect = "mine", None

        def reset(self, lane, seed=None):
            pass

        def act(self, observations, lanes):
            return [None] * len(lanes)

    out = evaluated(Mine())
    with pytest.raises(ConfigError, match="got 'mine'"):
        rerun(out)


def test_missing_manifest_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match=r"manifest .* can't be read"):
        rerun(tmp_path)
