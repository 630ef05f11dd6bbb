"""A stand-in for vLLM's `LLM` that behaves as its documentation says, on a model of transformers.

It takes one image token a picture and puts the others in, encodes pictures itself, samples with a
seed a request, reports log-probabilities after bias and temperature, and keeps weights of its own.
Whatever vLLM would compute wrongly without a word is an assertion here: old caches, a sleeping
engine, a shared output layer that was not packed again.
"""

import copy
from types import SimpleNamespace

import numpy as np
import torch

from pixel_env.agents.generation.cache import LaneCache
from pixel_env.agents.model.backbone import Backbone, Stretch
from pixel_env.agents.model.positions import rotary_positions


class ParallelLMHead(torch.nn.Module):
    """An output layer that multiplies with a packed copy of the weights, as on a CPU."""

    def __init__(self):
        super().__init__()
        self.packed = True
        self.cpu_linear = None
        self.quant_method = SimpleNamespace(process_weights_after_loading=self.pack)

    def pack(self, layer):
        assert layer is self
        self.packed = True


class ScriptedLLM:
    """Has the methods of `vllm.LLM` that are used; `calls` names them as they came."""

    def __init__(self, model, encoder, resizes_to=None, nudge=0.0):
        self.model, self.encoder = copy.deepcopy(model).eval(), encoder
        self.backbone = Backbone(self.model)
        self.resizes_to, self.nudge = resizes_to, nudge
        self.head = ParallelLMHead()
        self.calls, self.prompts, self.params = [], [], []
        self.asleep, self.fresh = False, {"prefix", "encoder"}
        vocab_size = self.backbone.vocab_size
        self.model_config = SimpleNamespace(get_vocab_size=lambda: vocab_size)
        self.llm_engine = SimpleNamespace(reset_encoder_cache=lambda: self._reset("encoder"))

    def generate(self, prompts, params, *, use_tqdm):
        assert not use_tqdm
        assert not self.asleep
        assert self.fresh == {"prefix", "encoder"}
        assert self.head.packed
        self.calls.append("generate")
        self.prompts += prompts
        self.params += params
        return [self._complete(*each) for each in zip(prompts, params, strict=True)]

    def collective_rpc(self, method, kwargs):
        assert method == "reload_weights"
        own = dict(self.model.named_parameters())
        given = dict(kwargs["weights_iterator"])
        assert given.keys() == own.keys()
        with torch.no_grad():
            for name, weight in given.items():
                own[name].copy_(weight)
        self.calls.append("reload_weights")
        self.fresh, self.head.packed = set(), False

    def apply_model(self, function):
        return [function(torch.nn.ModuleList([self.head]))]

    def reset_prefix_cache(self):
        self._reset("prefix")

    def sleep(self, level):
        self.calls.append(f"sleep {level}")
        self.asleep = True

    def wake_up(self, tags=None):
        self.calls.append(f"wake {' '.join(tags or ['all'])}")
        self.asleep = bool(tags)

    def _reset(self, name):
        self.fresh.add(name)

    @torch.no_grad()
    def _complete(self, prompt, params):
        pictures = [np.asarray(p) for p in prompt.get("multi_modal_data", {}).get("image", [])]
        if self.resizes_to:
            pictures = [np.resize(p, (*self.resizes_to, 3)) for p in pictures]
        images = self.encoder.images(pictures)
        ids, starts, waiting = [], [], iter(images)
        for token in prompt["prompt_token_ids"]:
            image = next(waiting, None) if token == self.encoder.image_id else None
            if image is not None:
                starts.append(len(ids))
            ids += [token] * (image.n_tokens if image else 1)
        sampled, logprobs = self._sample(ids, images, starts, params)
        message = SimpleNamespace(
            token_ids=sampled,
            logprobs=[
                {token: SimpleNamespace(logprob=logprob)}
                for token, logprob in zip(sampled, logprobs, strict=True)
            ],
        )
        return SimpleNamespace(prompt_token_ids=ids, outputs=[message])

    def _sample(self, ids, images, starts, params):
        rng = np.random.default_rng(params["seed"])
        positions, end = rotary_positions(len(ids), images, starts)
        cache = LaneCache.empty([0], self.backbone.n_layers, self.backbone.device)
        hidden = self._read(cache, ids, positions, images)
        sampled, logprobs = [], []
        for step in range(params["max_tokens"]):
            logits = self.backbone.logits(hidden)[0].double()
            for token, bias in params["logit_bias"].items():
                logits[token] += bias
            logp = (logits / (params["temperature"] or 1.0)).log_softmax(-1)
            token = int(logp.argmax())
            if params["temperature"]:
                token = int(torch.searchsorted(logp.exp().cumsum(-1), rng.random()))
            sampled.append(token)
            logprobs.append(float(logp[token]) + self.nudge)
            if token in params["stop_token_ids"]:
                break
            hidden = self._read(cache, [token], np.full((3, 1), end + step), ())
        return sampled, logprobs

    def _read(self, cache, ids, positions, images):
        row = torch.tensor([ids])
        stretch = Stretch(
            row,
            torch.from_numpy(positions)[:, None],
            torch.ones_like(row, dtype=torch.bool),
            images,
            row == self.encoder.image_id,
        )
        cache.valid = torch.cat([cache.valid, stretch.real], dim=1)
        seen = self.backbone.see(images)
        return self.backbone.read(stretch, seen, cache.valid, cache.kv)[:, -1]


def module(llm, opened=None):
    """Returns what `import vllm` gives; the arguments of `LLM` go into `opened`."""

    def make(**settings):
        if opened is not None:
            opened.update(settings)
        return llm() if callable(llm) else llm

    return SimpleNamespace(LLM=make, SamplingParams=dict, __spec__=object())
