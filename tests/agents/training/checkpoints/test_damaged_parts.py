"""A checkpoint whose parts are damaged, under checksums that fit, is one sentence that names it."""

import json
import random

import hostile_models
import pytest
import torch

from pixel_env import ConfigError, DataError
from pixel_env.agents.training.checkpoints.checkpointer import Checkpointer, Training, restore


def training():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.zeros(1, 3)).sum().backward()
    optimizer.step()
    return Training(network, optimizer)


@pytest.fixture
def saved(tmp_path):
    data = tmp_path / "data"
    made = Checkpointer(data).save(
        1, training(), state={"place": 3}, tensors={"a": {"x": torch.zeros(3)}}
    )
    (tmp_path / hostile_models.OUTSIDE).mkdir()
    return made


def fault_of(path):
    """Returns the fault of a checkpoint; "" where it can be restored. Nothing else is raised."""
    before = random.getstate(), torch.get_rng_state()
    try:
        restore(path, training())
    except (ConfigError, DataError) as fault:
        return str(fault)
    finally:
        random.setstate(before[0])
        torch.set_rng_state(before[1])
    return ""


@pytest.mark.parametrize("name", ["model", "random", "tensors.a"])
def test_broken_tensors(saved, name):
    content = (saved / f"{name}.safetensors").read_bytes()
    broken = list(hostile_models.broken_weights(content, random.Random(name)))
    faults = []
    for number, each in enumerate(broken):
        made = hostile_models.copied(saved, saved.with_name(f"made-{number}"))
        hostile_models.put(made / f"{name}.safetensors", each)
        hostile_models.sealed(made)
        faults.append(fault_of(made))
        assert not faults[-1] or str(made) in faults[-1]
        assert len(faults[-1]) < 2000
    assert sum(map(bool, faults)) > len(broken) / 2


@pytest.mark.parametrize("name", ["state.json", "optimizer.pt", "manifest.json"])
def test_broken_states(saved, name):
    texts = [each.encode("utf-8", "surrogatepass") for each in hostile_models.BROKEN_TEXTS]
    if name == "state.json":
        values = json.loads((saved / name).read_text())
        rng = random.Random(0)
        wild = [hostile_models.with_wild_value(values, rng) for _ in range(60)]
        wild += [{**values, "tensors": ["../../outside/x"]}, {**values, "random": {}}]
        texts += [json.dumps(each).encode() for each in wild]
    code = f"cos\nsystem\n(S'touch {saved.parent.parent / hostile_models.MARK}'\ntR.".encode()
    for number, content in enumerate([*texts, code, (saved / name).read_bytes()[:-20]]):
        made = hostile_models.copied(saved, saved.with_name(f"made-{number}"))
        hostile_models.put(made / name, content)
        if name != "manifest.json":
            hostile_models.sealed(made)
        fault = fault_of(made)
        assert not fault or str(made) in fault, content[:200]
        assert fault or name == "state.json"
    assert not (saved.parent.parent / hostile_models.MARK).exists()


@pytest.mark.parametrize("number", range(hostile_models.N_ODD))
def test_what_is_no_file_is_refused_at_once(saved, number):
    for name in ("state.json", "model.safetensors", "optimizer.pt", "manifest.json"):
        made = hostile_models.copied(saved, saved.with_name(f"made-{name}"))
        hostile_models.made_odd(name, number, made)
        assert str(made) in fault_of(made)
