"""What is written down, and when a collapse is warned of."""

import io
import json
import logging
import math

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from pixel_env import ConfigError, DataError
from pixel_env.agents.on_policy.collapse import CollapseWatch
from pixel_env.agents.training.metrics import MetricWriter, read_metrics


def test_numbers_are_in_the_file_and_on_the_board(tmp_path):
    writer = MetricWriter(tmp_path)
    writer.write(1, {"reward/mean": 0.5, "loss": math.nan})
    writer.write(2, {"reward/mean": 0.75})
    writer.close()
    assert read_metrics(tmp_path) == [
        {"step": 1, "reward/mean": 0.5, "loss": None},
        {"step": 2, "reward/mean": 0.75},
    ]
    board = EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in board.Scalars("reward/mean")] == [(1, 0.5), (2, 0.75)]


def test_a_resumed_training_drops_what_came_after_its_checkpoint(tmp_path):
    first = MetricWriter(tmp_path)
    for step in range(1, 6):
        first.write(step, {"loss": float(step)})
    first.close()
    second = MetricWriter(tmp_path, resumed_step=3)
    second.write(4, {"loss": 40.0})
    second.close()
    rows = read_metrics(tmp_path)
    assert [(row["step"], row["loss"]) for row in rows] == [(1, 1), (2, 2), (3, 3), (4, 40)]
    board = EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in board.Scalars("loss")] == [(1, 1), (2, 2), (3, 3), (4, 40)]


def test_a_new_training_starts_with_an_empty_file(tmp_path):
    MetricWriter(tmp_path).write(1, {"loss": 1.0})
    MetricWriter(tmp_path)
    assert read_metrics(tmp_path) == []


def test_a_line_that_was_being_written_is_cut_off(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "loss": 1.0}\n{"step": 2, "lo')
    MetricWriter(tmp_path, resumed_step=5).write(6, {"loss": 2.0})
    assert [row["step"] for row in read_metrics(tmp_path)] == [1, 6]
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{oops\n{"step": 3}\n')
    with pytest.raises(DataError, match="line 2"):
        MetricWriter(tmp_path, resumed_step=3)


def feed(watch: CollapseWatch, values, name="rapr") -> list[int]:
    """Returns the iterations, from 1, that warned."""
    return [i for i, value in enumerate(values, start=1) if watch.watch({name: value})]


def test_a_collapse_is_warned_of_once_after_patience_iterations(caplog):
    watch = CollapseWatch(patience=3)
    with caplog.at_level(logging.WARNING):
        assert feed(watch, [0.5, 0, 0, 0, 0, 0, 0]) == [4]
    assert "rapr has been 0 for 3 iterations" in caplog.text


def test_a_second_collapse_is_warned_of_again():
    assert feed(CollapseWatch(patience=2), [0, 0, 0, 0.1, 0, 0, 0]) == [2, 6]


def test_the_default_patience_is_twenty_iterations():
    assert feed(CollapseWatch(), [0] * 50) == [20]


def test_the_bonus_is_watched_too():
    assert feed(CollapseWatch(patience=2), [0, 0], name="reward/curiosity") == [2]


def test_an_iteration_without_the_metric_changes_nothing():
    watch = CollapseWatch(patience=2)
    watch.watch({"rapr": 0.0})
    assert watch.watch({"rapr": math.nan}) == watch.watch({}) == []
    assert len(watch.watch({"rapr": 0.0})) == 1


def test_a_watch_goes_on_from_a_checkpoint():
    watch, other = CollapseWatch(patience=3), CollapseWatch(patience=3)
    feed(watch, [0, 0])
    other.restore(json.loads(json.dumps(watch.state())))
    assert feed(other, [0, 0]) == [1]


def test_a_patience_under_one_is_refused():
    with pytest.raises(ConfigError, match="patience"):
        CollapseWatch(patience=0)


def test_texts_and_pictures_are_on_the_board_alone(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (6, 9, 3), np.uint8)
    writer = MetricWriter(tmp_path)
    writer.show_text("config", '{\n "a": 1\n}')
    writer.show_picture(2, "rollouts/1", picture)
    writer.close()
    assert read_metrics(tmp_path) == []
    board = EventAccumulator(str(tmp_path)).Reload()
    (shown,) = board.Images("rollouts/1")
    assert shown.step == 2
    with Image.open(io.BytesIO(shown.encoded_image_string)) as drawn:
        assert np.array_equal(np.asarray(drawn), picture)
    (text,) = board.Tensors("config/text_summary")
    assert text.tensor_proto.string_val[0].decode() == '    {\n     "a": 1\n    }'
