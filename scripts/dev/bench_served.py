"""Measures episodes a second through `openai:`, by how many lanes run at once.

    python scripts/dev/bench_served.py --latency 0.2 --lanes 1 8 64

A scripted server in a process of its own answers every request after a fixed time: a zoom first,
then an answer. One lane waits nearly all of the time; more lanes bring more, until this process has
no more to give: it steps environments, encodes pictures and sends them again in each turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from rich.console import Console
from rich.table import Table

from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.policies.base import Policy
from pixel_env.agents.policies.by_name import make_policy

MODEL = "scripted"
ZOOM = (
    '<tool_call>\n{"name": "zoom_in", "arguments": {"bbox_2d": [0.25, 0.25, 0.75, 0.75]}}\n'
    "</tool_call>"
)
ANSWER = r"\boxed{A}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures each number of lanes, and prints the table."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if min(options.latency, *options.lanes) <= 0:
        parser.error("expected a latency and lanes over 0")
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")  # a fork would copy threads
    server = context.Process(target=_serve, args=(options.latency, there), daemon=True)
    server.start()
    there.close()  # so that a server that doesn't start ends the wait for its port
    try:
        url = f"http://127.0.0.1:{here.recv()}/v1"
        policy = make_policy(f"openai:{url}#{MODEL}", dialect="pixel-reasoner", system="none")
        _rate(policy, options, lanes=2, samples=2)  # imports, connections, caches
        rates = {
            lanes: _rate(policy, options, lanes, max(options.most_waits * lanes // 2, 4))
            for lanes in options.lanes
        }
    finally:
        server.terminate()
    Console().print(_table(rates, options))


def _rate(policy: Policy, options: argparse.Namespace, lanes: int, samples: int) -> float:
    """Returns episodes a second."""
    config = EvaluationConfig(
        options.env, {"split": "test"}, samples=min(samples, options.samples), lanes=lanes
    )
    began = time.perf_counter()
    results = evaluate(policy, config).results
    seconds = time.perf_counter() - began
    if any(result.n_turns != 2 or result.service_error for result in results):
        raise RuntimeError("an episode wasn't one zoom and one answer")
    return len(results) / seconds


def _table(rates: dict[int, float], options: argparse.Namespace) -> Table:
    title = f"{options.env}, {options.latency} s a reply, two turns, {os.cpu_count()} cores"
    table = Table("lanes", "episodes a second", "ratio", "most possible", title=title)
    first = next(iter(rates.values()))
    for lanes, rate in rates.items():
        bound = lanes / (2 * options.latency)
        table.add_row(str(lanes), f"{rate:.2f}", f"{rate / first:.1f}", f"{bound:.1f}")
    return table


def _serve(latency: float, port: Connection) -> None:
    """Runs the server, and sends the port that it got."""

    async def run() -> None:
        server = await asyncio.start_server(
            lambda reader, writer: _connection(reader, writer, latency), "127.0.0.1", 0, limit=2**24
        )
        port.send(server.sockets[0].getsockname()[1])
        async with server:
            await server.serve_forever()

    asyncio.run(run())


async def _connection(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, latency: float
) -> None:
    """Answers the requests of one connection, one after the other."""
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            break  # the client has gone
        line, *fields = head.decode("latin-1").split("\r\n")
        lengths = [
            each.partition(":")[2] for each in fields if each.lower().startswith("content-l")
        ]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        if line.startswith("POST"):
            await asyncio.sleep(latency)
            reply = _completion(ANSWER if b'"role":"assistant"' in body else ZOOM)
        else:
            reply = {"data": [{"id": MODEL}]}
        written = json.dumps(reply).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(written), written)
        )
        await writer.drain()
    writer.close()


def _completion(content: str) -> dict[str, object]:
    message = {"role": "assistant", "content": content}
    return {
        "model": MODEL,
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10},
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--env", default="PixelReason-SyntheticSearch-v0", help="id of an environment"
    )
    parser.add_argument("--latency", type=float, default=0.2, help="seconds of a reply")
    parser.add_argument("--lanes", type=int, nargs="+", default=[1, 8, 64], help="lanes at once")
    parser.add_argument(
        "--most-waits", type=int, default=40, help="replies that one lane waits for"
    )
    parser.add_argument("--samples", type=int, default=10**6, help="most episodes")
    return parser


if __name__ == "__main__":
    main()
