"""Small folders of models that are broken or lead elsewhere, made from seeds."""

import json
import os
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from hostile_files import OUTSIDE, mutated

MARK = "code-ran"
"""A file of this name appears beside the data where code of a folder was run."""

WEIGHTS = "model.safetensors"
WILD = (
    *(None, True, -1, 0, 1, 3, 10**9, 2**63, 10**400, -(10**18), 1e308, float("inf"), float("nan")),
    *("", "x", "\ud800", "../../x", "os:system", [], {}, [[]], [-1], [10**9] * 3, {"x": {}}),
)
BROKEN_TEXTS = (
    *("", "{", "[]", "null", '"x"', "1", "{}", "[" * 100_000, '{"a":' * 50_000, "\ufeff{}"),
    *("9" * 5000, '{"a": NaN}', "\0", '{"model_type": "qwen2_5_vl"}'),
)


def copied(base: Path, folder: Path) -> Path:
    """Makes a folder whose files are those of another one; whatever changes one replaces it."""
    folder.mkdir()
    for path in base.iterdir():
        os.link(path, folder / path.name)
    return folder


def put(path: Path, content: bytes) -> None:
    """Replaces a file, and not what its links share with others."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def no_regular_files(path: Path) -> Iterator[Callable[[], None]]:
    """Yields what puts something at a path that is no file of this folder."""
    outside = path.parent.parent.parent / OUTSIDE
    yield lambda: os.mkfifo(path)
    yield lambda: path.mkdir()
    yield lambda: path.symlink_to(path)
    yield lambda: path.symlink_to("/dev/zero")
    yield lambda: path.symlink_to(outside / "nothing")


N_ODD = 5


def made_odd(name: str, number: int, folder: Path) -> None:
    """Puts one of `no_regular_files` in the place of a file."""
    (folder / name).unlink()
    list(no_regular_files(folder / name))[number]()


def replaced(name: str, content: bytes, folder: Path) -> None:
    """Replaces a file of a folder."""
    put(folder / name, content)


def with_wild_value(values: Any, rng: random.Random) -> Any:
    """Returns a JSON value with something in it replaced by a wild value, or left out."""
    if not isinstance(values, (dict, list)) or not values or rng.random() < 0.1:
        return rng.choice(WILD)
    keys = list(values) if isinstance(values, dict) else list(range(len(values)))
    key = rng.choice(keys)
    changed = dict(values) if isinstance(values, dict) else list(values)
    if rng.random() < 0.1:
        del changed[key]
    else:
        changed[key] = with_wild_value(values[key], rng)
    return changed


def safetensors(header: Any, data: bytes) -> bytes:
    """Returns a file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def parts_of(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Takes a safetensors file apart."""
    (n_header,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + n_header]), content[8 + n_header :]


def broken_weights(content: bytes, rng: random.Random) -> Iterator[bytes]:
    """Yields safetensors files that are broken in one way each."""
    header, data = parts_of(content)
    names = [name for name in header if name != "__metadata__"]
    some = rng.choice(names)
    yield content[: len(content) // 2]
    yield b""
    yield content[:5]
    yield content + b"\0" * 64
    for n_header in (2**63, 2**64 - 1, 2**40, 2**27, 0, len(content)):
        yield struct.pack("<Q", n_header) + content[8:]
    for wrong in ([], None, 1, "x", {some: 1}, {some: {}}, {some: [1]}, b"\xff" * 9, b"[" * 10**5):
        yield safetensors(wrong, data)
    changes: list[dict[str, Any]] = [
        {"data_offsets": [0, 8]},
        {"data_offsets": [8, 0]},
        {"data_offsets": [0, 2**63]},
        {"data_offsets": [-8, 0]},
        {"data_offsets": "x"},
        {"shape": [10**9, 10**9]},
        {"shape": [2**62] * 7},
        {"shape": [-1]},
        {"shape": [1.5]},
        {"shape": None},
        {"shape": [1] * 10**5},
        {"dtype": "I64"},
        {"dtype": "F128"},
        {"dtype": ["F32"]},
    ]
    for change in changes:
        yield safetensors({**header, some: {**header[some], **change}}, data)
    # Everything still fits, but for the model: a name, a shape, a dtype.
    yield safetensors({f"{n}x" if n == some else n: each for n, each in header.items()}, data)
    square = max(names, key=lambda name: len(header[name]["shape"]))
    turned = {**header[square], "shape": [1, *header[square]["shape"]]}
    yield safetensors({**header, square: turned}, data)
    yield safetensors({n: {**header[n], "dtype": "I32"} for n in names}, data)
    yield safetensors(header, b"\xff" * len(data))  # not a number, all of them


def pickled(name: str, folder: Path) -> None:
    """Leaves a folder no weights but pickled ones, which run code."""
    (folder / WEIGHTS).unlink()
    code = f"cos\nsystem\n(S'touch {folder.parent.parent / MARK}'\ntR.".encode()
    put(folder / name, code)


def indexed(places: Any, folder: Path) -> None:
    """Gives a folder an index of weights."""
    (folder / WEIGHTS).rename(folder / "a.safetensors")
    put(folder / f"{WEIGHTS}.index.json", json.dumps(places).encode())


def own_code(model_type: str, folder: Path) -> None:
    """Gives a folder code of its own, which its files name."""
    mark = str(folder.parent.parent / MARK)
    code = f"from pathlib import Path\nPath({mark!r}).touch()\nclass Config: pass\n"
    (folder / "evil.py").write_text(code)
    kinds = ("AutoConfig", "AutoModel", "AutoModelForImageTextToText", "AutoTokenizer")
    named = dict.fromkeys((*kinds, "AutoImageProcessor", "AutoProcessor"), "evil.Config")
    for name in ("config.json", "tokenizer_config.json", "preprocessor_config.json"):
        values = json.loads((folder / name).read_text())
        further = {"model_type": model_type} if name == "config.json" else {}
        put(folder / name, json.dumps({**values, **further, "auto_map": named}).encode())


def removed(name: str, folder: Path) -> None:
    """Removes a file of a folder."""
    (folder / name).unlink()


def grown(name: str, folder: Path) -> None:
    """Makes a file of a folder one of 2 GiB, most of it a hole."""
    put(folder / name, (folder / name).read_bytes())
    os.truncate(folder / name, 2**31)


def broken_layouts(base: Path) -> Iterator[Callable[[Path], None]]:
    """Yields what changes the layout of a folder."""
    content = (base / WEIGHTS).read_bytes()
    header, _ = parts_of(content)
    names = [name for name in header if name != "__metadata__"]

    for name in ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "x.ckpt"):
        yield partial(pickled, name)
    outside = f"../../{OUTSIDE}/secret.safetensors"
    places: list[Any] = ["b.safetensors", outside, "/etc/passwd", "a.bin", "", 3, None, ["a"]]
    maps: list[Any] = [dict.fromkeys(names, place) for place in places]
    maps += [{**dict.fromkeys(names, "a.safetensors"), "x": "a.safetensors"}, [], {}]
    maps += [dict.fromkeys(names[1:], "a.safetensors")]
    yield from (partial(indexed, {"weight_map": each}) for each in maps)
    yield from (partial(indexed, wrong) for wrong in ([], {}, 1))
    yield from (partial(own_code, model_type) for model_type in ("evil", "qwen2_5_vl", "llama"))
    for adapter in ("{}", "[]", "{", json.dumps({"base_model_name_or_path": f"../../{OUTSIDE}"})):
        yield partial(replaced, "adapter_config.json", adapter.encode())
    for name in ("config.json", "tokenizer.json", "preprocessor_config.json", WEIGHTS):
        yield partial(removed, name)
    yield partial(replaced, "shard-00000-model-00001-of-00001.safetensors", content)
    yield partial(grown, "tokenizer.json")


def models(folder: Path, base: Path, n: int, seed: int) -> Iterator[str]:
    """Makes folders of broken models beside each other, and yields their names.

    Args:
        folder: where to.
        base: the folder of an intact, very small model.
        n: how many are made from the seed, beside those that are always there.
        seed: of the random ones.
    """
    jsons = sorted(path.name for path in base.glob("*.json"))
    rng = random.Random(f"{seed} models")
    changes: list[Callable[[Path], None]] = list(broken_layouts(base))
    content = (base / WEIGHTS).read_bytes()
    changes += [partial(replaced, WEIGHTS, broken) for broken in broken_weights(content, rng)]
    for name in jsons:
        for text in BROKEN_TEXTS:
            encoded = text.encode("utf-8", "surrogatepass")
            changes.append(partial(replaced, name, encoded))
    for name in (*jsons, WEIGHTS):
        changes += [partial(made_odd, name, number) for number in range(N_ODD)]
    for number in range(n):
        own = random.Random(f"{seed} {number} models")
        name = own.choice([*jsons, "config.json", "config.json", WEIGHTS])
        data = (base / name).read_bytes()
        if name == WEIGHTS or own.random() < 0.3:
            made_of = mutated(data, own)
        else:
            made_of = json.dumps(with_wild_value(json.loads(data), own)).encode()
        changes.append(partial(replaced, name, made_of))
    for number, change in enumerate(changes):
        change(copied(base, folder / f"model-{number}"))
        yield f"model-{number}"


def sealed(folder: Path) -> None:
    """Writes a manifest whose sizes and checksums are those of what lies in a folder."""
    files = {
        path.name: {"bytes": path.stat().st_size, "crc32": zlib.crc32(path.read_bytes())}
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != "manifest.json"
    }
    put(folder / "manifest.json", json.dumps({"format": 1, "files": files}).encode())


def changed_policies(base: Path, rng: random.Random) -> list[tuple[str, bytes]]:
    """Returns broken files of a policy of stable-baselines3, each with its name."""
    weights, settings = "policy.safetensors", "policy.json"
    values = json.loads((base / settings).read_text())
    changed: list[tuple[str, bytes]] = [
        (weights, broken) for broken in broken_weights((base / weights).read_bytes(), rng)
    ]
    changed += [(settings, text.encode("utf-8", "surrogatepass")) for text in BROKEN_TEXTS]
    for part in ("flat", "network"):
        for name in values[part]:
            for wild in WILD:
                wrong = {**values, part: {**values[part], name: wild}}
                changed.append((settings, json.dumps(wrong).encode()))
    for name in ("width", "text_width", "view_features", "unknown"):
        for wild in WILD:
            further = {**values["network"], "extractor_settings": {name: wild}}
            changed.append((settings, json.dumps({**values, "network": further}).encode()))
    return changed


def policies(folder: Path, base: Path, n: int, seed: int) -> Iterator[str]:
    """Makes folders of broken policies of stable-baselines3; see `models`."""
    weights, settings = "policy.safetensors", "policy.json"
    rng = random.Random(f"{seed} policies")
    changed = changed_policies(base, rng)
    chosen = rng.sample(changed, min(n, len(changed)))
    for number, (name, content) in enumerate(chosen):
        made = copied(base, folder / f"policy-{number}")
        put(made / name, content)
        if number % 8:
            sealed(made)
        yield made.name
    for name in (weights, settings, "manifest.json"):
        for number in range(N_ODD):
            made = copied(base, folder / f"policy-{name}-{number}")
            made_odd(name, number, made)
            if name != "manifest.json" and number:
                sealed(made)
            yield made.name
    outside = f"../../{OUTSIDE}/secret.safetensors"
    for number, named in enumerate([outside, "/dev/zero", "/etc/passwd", "", ".", "a\0b", "x"]):
        made = copied(base, folder / f"policy-named-{number}")
        files = {named: {"bytes": 0, "crc32": 0}}
        put(made / "manifest.json", json.dumps({"format": 1, "files": files}).encode())
        yield made.name
