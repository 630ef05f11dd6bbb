"""Folders of models that are damaged or hostile give one sentence that names the file.

Every few of the corpus; all of it runs by name, in a process that is watched
(`tests/test_hostile_files.py`).
"""

import json
import shutil
import struct

import hostile_models
import pytest
from tiny_models import tiny_model, tiny_processor, tiny_tokenizer

from pixel_env import ConfigError, DataError
from pixel_env.agents.model.files import border
from pixel_env.agents.model.files.model_files import check_files
from pixel_env.agents.model.files.safetensors_headers import read_header
from pixel_env.agents.model.loading import load
from pixel_env.agents.model.trained_with import TrainedWith
from pixel_env.agents.policies.vlm import VLMPolicy

EVERY = 5


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "data" / "intact"
    tiny_model("qwen2_5_vl").save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    tiny_processor("qwen2_5_vl").save_pretrained(folder)
    TrainedWith("pixel-reasoner", "none", 8, 300).write(folder)
    return folder


@pytest.fixture
def model(base, tmp_path):
    return shutil.copytree(base, tmp_path / "model")


def fault_of(folder):
    try:
        VLMPolicy.load(folder)
    except (ConfigError, DataError) as fault:
        return str(fault)
    return ""


def test_every_few_of_the_corpus_is_a_sentence_or_loads(base, monkeypatch):
    def asked(*args):
        raise AssertionError("asked on the terminal")

    monkeypatch.setattr("builtins.input", asked)
    data = base.parent
    (data.parent / hostile_models.OUTSIDE).mkdir()
    n_faults = n = 0
    for number, name in enumerate(hostile_models.models(data, base, 40, 0)):
        if number % EVERY == 0:
            fault = fault_of(data / name)
            assert "\n" not in fault
            assert not fault or str(data / name) in fault
            n_faults, n = n_faults + bool(fault), n + 1
    assert n > 30
    assert n_faults > n / 2
    assert not (data.parent / hostile_models.MARK).exists()


@pytest.mark.parametrize(
    ("model_type", "message"), [("evil", "auto_map.* is never run"), ("llama", "qwen2_5_vl")]
)
def test_code_of_a_folder_is_not_run(model, model_type, message, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *args: "y")
    hostile_models.own_code(model_type, model)
    with pytest.raises(ConfigError, match=rf"{model}/config\.json.*{message}"):
        load(model)
    assert not (model.parent.parent / hostile_models.MARK).exists()


def test_a_known_architecture_is_loaded_without_the_code_that_it_names(model):
    hostile_models.own_code("qwen2_5_vl", model)
    load(model)
    assert not (model.parent.parent / hostile_models.MARK).exists()


def changed(model, name, **values):
    path = model / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("config.json", {"text_config": {"hidden_size": 10**9}}, r"config\.json.* weights, and"),
        ("config.json", {"vision_config": {"depth": 10**6}}, r"config\.json: depth is out of"),
        ("config.json", {"vision_config": {"num_heads": 7}}, r"config\.json doesn't fit"),
        ("preprocessor_config.json", {"patch_size": 16}, r"config\.json: patch_size is 16, and"),
        ("pixel_reason.json", {"environment": {"task": "os:system"}}, r"on\.json.*'task'"),
        ("pixel_reason.json", {"dialect": "dutch"}, r"on\.json: expected .*'dutch'"),
    ],
)
def test_values_that_do_not_fit_name_the_file(model, name, values, message):
    nested = {k: v for k, v in values.items() if isinstance(v, dict) and k.endswith("_config")}
    stored = json.loads((model / name).read_text())
    changed(model, name, **{**values, **{k: {**stored[k], **v} for k, v in nested.items()}})
    with pytest.raises((ConfigError, DataError), match=message):
        VLMPolicy.load(model)


def test_pickled_weights_are_refused_with_the_way_to_convert_them(model):
    hostile_models.pickled("pytorch_model.bin", model)
    with pytest.raises(ConfigError, match=r"pytorch_model\.bin: .*save_pretrained writes"):
        load(model)
    assert not (model.parent.parent / hostile_models.MARK).exists()


def test_a_tensor_that_is_missing_or_of_another_shape_is_named(model):
    path = model / hostile_models.WEIGHTS
    header, data = hostile_models.parts_of(path.read_bytes())
    norm = "model.norm.weight"
    assert norm in header
    named = {("other" if name == norm else name): each for name, each in header.items()}
    path.write_bytes(hostile_models.safetensors(named, data))
    with pytest.raises(DataError, match=rf"{path}: the weights lack \S*norm\.weight"):
        load(model)
    bent = {**header, norm: {**header[norm], "shape": [2, 16]}}
    path.write_bytes(hostile_models.safetensors(bent, data))
    with pytest.raises(DataError, match=rf"the weights in {path}"):
        load(model)


def test_the_intact_model_has_as_many_numbers_as_its_header_says(model):
    files = check_files(model)
    loaded = load(model).model
    assert files.n_numbers == sum(each.numel() for each in loaded.parameters())
    assert files.weights.name == "model.safetensors"


def test_shards_are_found_through_their_index(model):
    path = model / hostile_models.WEIGHTS
    names = [name for name in read_header(path)]
    places = dict.fromkeys(names, "a.safetensors")
    hostile_models.indexed({"metadata": {}, "weight_map": places}, model)
    assert set(check_files(model).tensors) == set(names)
    load(model)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ends inside its header"),
        (struct.pack("<Q", 2**63) + b"{}", "ends inside its header"),
        (hostile_models.safetensors([], b""), "no object but list"),
        (hostile_models.safetensors({"a": {"dtype": "F32", "shape": [1]}}, b""), "whole numbers"),
        (
            hostile_models.safetensors(
                {
                    "a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
                    "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]},
                },
                b"123456",
            ),
            "starts at byte 2, not at 4",
        ),
        (
            hostile_models.safetensors(
                {"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}, b"12345"
            ),
            "take 4 bytes, and 5",
        ),
    ],
)
def test_a_damaged_header_is_refused(tmp_path, content, message):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=rf"w\.safetensors can't be read as safetensors: .*{message}"
    ):
        read_header(path)


def test_the_border_takes_a_panic_and_lets_through_what_is_no_fault_of_a_file():
    class PanicException(BaseException):
        pass

    for fault, expected in (
        (PanicException("index out of bounds"), DataError),
        (KeyError("x"), DataError),
        (RecursionError(), DataError),
        (ImportError("no flash_attn"), ConfigError),
        (ConfigError("ours"), ConfigError),
        (MemoryError(), MemoryError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ):
        with pytest.raises(expected), border.foreign_files("a.json"):
            raise fault


def test_an_unknown_setting_of_a_policy_is_named_before_anything_is_loaded():
    with pytest.raises(ConfigError, match="Did you mean 'max_new_tokens'"):
        VLMPolicy.load("nowhere", max_new_token=3)
    with pytest.raises(ConfigError, match=r"expected temperature to be like 1\.0"):
        VLMPolicy.load("nowhere", temperature="hot")
