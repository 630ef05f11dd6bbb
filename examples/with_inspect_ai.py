"""An evaluation in inspect_ai, run with inspect_ai 0.3.285: its models, its log viewer.

inspect eval examples/with_inspect_ai.py --model openai/gpt-4o --limit 20
"""

import base64
import io

import gymnasium as gym
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ContentImage, ContentText
from inspect_ai.scorer import Score, accuracy, scorer, stderr
from inspect_ai.solver import solver
from PIL import Image

from pixel_env.wrappers import TextAction


def part(each):
    if isinstance(each, str):
        return ContentText(text=each)
    buffer = io.BytesIO()
    Image.fromarray(each).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    return ContentImage(image=f"data:image/png;base64,{data}")


@solver
def play():
    async def solve(state, generate):
        env = TextAction(gym.make("pixel_env:PixelReason-SyntheticSearch-v0", options=True))
        observation, _ = env.reset(options={"index": state.sample_id - 1})
        state.messages, ends = [ChatMessageSystem(content=env.dialect.system_prompt())], []
        while not any(ends):
            content = [part(each) for each in env.dialect.tell(observation)]
            state.messages.append(ChatMessageUser(content=content))
            state = await generate(state)
            observation, reward, *ends, _ = env.step(state.output.completion)
        state.metadata["reward"] = reward
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()])
def graded():
    async def score(state, target):
        return Score(value=state.metadata["reward"])

    return score


@task
def synthetic_search():
    samples = [Sample(input="a question and a picture", id=number) for number in range(1, 101)]
    return Task(dataset=samples, solver=play(), scorer=graded())
