"""What the tests of verl's agent loop need: a processor, a configuration, a scripted server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from omegaconf import OmegaConf
from tiny_models import tiny_processor, tiny_tokenizer
from transformers import AutoTokenizer, Qwen2_5_VLProcessor, Qwen2VLImageProcessorPil
from verl.experimental.agent_loop.agent_loop import DictConfigWrap
from verl.utils.dataset.rl_dataset import RLHFDataset
from verl.workers.rollout.replica import TokenOutput

from pixel_env.agents.tokens.serving import write_serving_files
from pixel_env.agents.verl.agent_loop import PixelReasonLoop

LOGPROB = -0.25


class _NoVideo:
    """Stands for the video processor, which needs torchvision; no clip goes through it."""

    merge_size = temporal_patch_size = 2


class Processor(Qwen2_5_VLProcessor):
    """The processor itself, without the check of its parts that imports torchvision."""

    def check_argument_for_proper_class(self, argument_name, argument):
        return type(argument)


def processor(folder: Path) -> Processor:
    """Returns the processor of an exported folder: its chat template, its sizes."""
    tiny_tokenizer().save_pretrained(folder)
    tiny_processor("qwen2_5_vl").save_pretrained(folder)
    write_serving_files(folder, "qwen2_5_vl")
    return processor_of(folder)


def processor_of(folder: Path | str) -> Processor:
    """Returns the processor of a folder that serves."""
    images = Qwen2VLImageProcessorPil.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    template = (Path(folder) / "chat_template.jinja").read_text(encoding="utf-8")
    return Processor(images, tokenizer, _NoVideo(), chat_template=template)


class Server:
    """verl's client of rollout servers, as one rollout sees it: it sends the script's messages."""

    def __init__(self, encoder, script, limit_at=()):
        self.encoder, self.script, self.limit_at = encoder, iter(script), set(limit_at)
        self.handed: list[dict] = []

    async def generate(self, request_id, *, prompt_ids, sampling_params, image_data, **_):
        await asyncio.sleep(0)
        message = next(self.script)
        if isinstance(message, Exception):
            raise message
        ids = self.encoder.message_ids(message).tolist()
        if len(self.handed) in self.limit_at:  # at its limit of tokens none is left to close it
            ids = ids[:-1]
        ids = ids[: sampling_params["max_tokens"]]
        given = {"ids": list(prompt_ids), "images": list(image_data), "params": sampling_params}
        self.handed.append({**given, "request": request_id})
        steps = {"min_global_steps": 6 + len(self.handed), "max_global_steps": 6 + len(self.handed)}
        return TokenOutput(token_ids=ids, log_probs=[LOGPROB] * len(ids), extra_fields=steps)


def agent_loop(server, made: Processor, response_length=20_000, **settings) -> PixelReasonLoop:
    """Returns an agent loop as verl's worker makes it."""
    rollout = {"prompt_length": 20_000, "response_length": response_length}
    config = OmegaConf.create({"actor_rollout_ref": {"rollout": rollout}})
    return PixelReasonLoop(
        trainer_config=DictConfigWrap(config),
        server_manager=server,
        tokenizer=made.tokenizer,
        processor=made,
        dataset_cls=RLHFDataset,
        data_config=DictConfigWrap(OmegaConf.create({})),
        hf_model_type="qwen2_5_vl",
        name="pixel_reason",
        tools=None,
        **settings,
    )
