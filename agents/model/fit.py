"""Makes sure, before a model is used, that its parts fit each other and that it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError, DataError

from ..tokens.encoder import Encoder
from .backbone import Backbone, Stretch
from .files.border import foreign_files
from .files.model_files import CONFIG, PROCESSOR, TOKENIZER
from .positions import rotary_positions


def check_fit(folder: Path, model: Any, tokenizer: Any, image_processor: Any) -> None:
    """Makes sure that tokenizer and image processor are those of the model, and runs it once.

    The run has a few tokens and the smallest picture: it is short even for a large model, and finds
    what no comparison of sizes does, such as heads that don't divide a layer.

    Raises:
        DataError: they don't fit, and the message names the file.
    """
    encoder = _checked_encoder(folder / TOKENIZER, model, tokenizer, image_processor)
    path = folder / PROCESSOR
    with foreign_files(str(path)):
        vision = model.config.vision_config
        wanted = (vision.patch_size, vision.spatial_merge_size, vision.temporal_patch_size)
        kinds = ("patch_size", "merge_size", "temporal_patch_size")
        for kind, size in zip(kinds, wanted, strict=True):
            if (got := getattr(image_processor, kind)) != size:
                raise DataError(f"{path}: {kind} is {got!r:.40}, and the model has {size}")
        side = vision.patch_size * vision.spatial_merge_size
        (image,) = encoder.images([np.zeros((side, side, 3), np.uint8)])
    ids = [encoder.end_id, *[encoder.image_id] * image.n_tokens, encoder.end_id]
    positions, _ = rotary_positions(len(ids), (image,), (1,))
    with foreign_files(str(folder / CONFIG), "doesn't fit the weights"), torch.no_grad():
        backbone = Backbone(model)
        device = backbone.device
        shown = torch.tensor([[each == encoder.image_id for each in ids]], device=device)
        stretch = Stretch(
            torch.tensor([ids], device=device),
            torch.from_numpy(positions)[:, None].to(device),
            torch.ones_like(shown),
            (image,),
            shown,
        )
        logits = backbone.logits(backbone.read(stretch, backbone.see([image])))
        if not torch.isfinite(logits).all():
            raise ValueError("the model gives no finite numbers")


def _checked_encoder(path: Path, model: Any, tokenizer: Any, image_processor: Any) -> Encoder:
    """Returns an encoder, where the tokenizer has the format's tokens and no others than rows."""
    with foreign_files(str(path)):
        n_ids = 1 + max(tokenizer.get_vocab().values(), default=-1)
        n_rows = model.get_input_embeddings().weight.shape[0]
        if n_ids > n_rows:
            raise DataError(f"{path}: it has ids up to {n_ids - 1}, and the model {n_rows} rows")
        try:
            encoder = Encoder(tokenizer, image_processor, get_dialect("pixel-reasoner"), "none")
        except ConfigError as fault:
            raise DataError(f"{path}: {fault}") from fault
        message = encoder.message_ids("Which colour is it?")
        if len(message) < 2 or not encoder.texts([message])[0].strip():
            raise DataError(f"{path}: it turns text into no tokens")
    return encoder
