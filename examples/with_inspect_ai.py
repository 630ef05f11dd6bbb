"""An evaluation in inspect_ai, run with inspect_ai 0.3.285: its models, its log viewer.

inspect eval examples/with_inspect_ai.py --model openai/gpt-4o --limit 20
"""

import gymnasium as gym
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import messages_from_openai
from inspect_ai.scorer import Score, accuracy, scorer, stderr
from inspect_ai.solver import solver

from pixel_env.chat import Conversation
from pixel_env.wrappers import TextAction


@solver
def play():
    async def solve(state, generate):
        env = TextAction(gym.make("pixel_env:PixelReason-SyntheticSearch-v0", options=True))
        observation, _ = env.reset(options={"index": state.sample_id - 1})
        conversation, ends = Conversation(env.dialect), []
        while not any(ends):
            conversation.observe(observation)
            state.messages = await messages_from_openai(conversation.messages)
            state = await generate(state)
            conversation.respond(state.output.completion)
            observation, state.metadata["reward"], *ends, _ = env.step(state.output.completion)
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()])
def graded():
    async def score(state, target):
        return Score(value=state.metadata["reward"])

    return score


@task
def synthetic_search():
    return Task([Sample(f"sample {i}") for i in range(100)], solver=play(), scorer=graded())
