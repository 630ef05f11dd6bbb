"""A chat server: one client for all lanes, on an event loop in a thread of its own.

The client of the package `openai` repeats what failed, with growing pauses and as `Retry-After`
asks. What it leaves is done here: a reply that breaks off or is none is asked for again, a server
that has too many requests is waited for, and what fails for good is a `ServiceError`.

The loop lives as long as the server, so connections stay open from turn to turn, and each lane's
request starts as soon as that lane is ready for it.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from pixel_env.errors import ConfigError, ServiceError

from .address import Address
from .faults import is_final, is_over_context, retry_after, sentence
from .reply import MalformedReplyError, Pieces, Reply, read_reply
from .settings import ServedSettings

OVER_CONTEXT = "over_context"
"""The reason why a reply is empty: the conversation is longer than the server takes."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
"""Pauses before a request is repeated; each is twice as long as the one before."""

CONNECT_S = 10.0
"""Seconds in which a server must take a connection."""

DUMMY_KEY = "none"
"""What a server on this machine is sent where no key is set."""

_MODEL_FIELDS = ("id", "root", "owned_by", "max_model_len")
"""What a server says of a model that decides results; its time of creation is that of asking."""

Found = TypeVar("Found")


class ChatServer:
    """Asks a model behind an HTTP interface, for any number of conversations at once.

    The key comes from the environment, by the client's own rules (`OPENAI_API_KEY`), and stays in
    the client.

    Attributes:
        model: the model's name on the server.
    """

    def __init__(self, address: Address, settings: ServedSettings) -> None:
        """Connects, and asks the server for its models where the address names none.

        Raises:
            ConfigError: the package `openai` or a key is missing, or the server has several
                models and the address names none.
            ServiceError: the server doesn't answer.
        """
        self._settings = settings
        self._failures = 0
        self._resume_at = 0.0
        self._loop = asyncio.new_event_loop()
        self._client = _client(address, settings)
        self._openai = _package()
        threading.Thread(target=self._loop.run_forever, name="chat-server", daemon=True).start()
        self.model = address.model or self._only_model()

    def submit(self, work: Coroutine[Any, Any, Found]) -> Future[Found]:
        """Runs a coroutine on the server's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def reply(self, messages: list[dict[str, Any]], **fields: Any) -> Reply:
        """Returns the model's reply; to be awaited on the server's event loop.

        A conversation that is too long for the server gets an empty reply with the reason
        `OVER_CONTEXT`: asking again would never help.

        Args:
            messages: the conversation.
            **fields: further fields of the request.

        Raises:
            ServiceError: there is none, for good.
        """
        request = {"model": self.model, "messages": messages, **self._settings.request(), **fields}
        began = time.monotonic()
        try:
            reply = await self._with_patience(request)
        except self._openai.BadRequestError as refusal:
            if not is_over_context(refusal):
                raise self._failed(refusal) from refusal
            reply = Reply("", finish_reason=OVER_CONTEXT)
        except Exception as fault:  # of the client, of its transport, of what the server sent
            raise self._failed(fault) from fault
        self._failures = 0
        return replace(reply, seconds=time.monotonic() - began)

    def facts(self) -> dict[str, Any]:
        """Returns what the server says of itself: its address, its software, its model.

        Raises:
            ServiceError: it doesn't answer.
        """
        entries, software = self._models()
        listed = next((each for each in entries if each.get("id") == self.model), None)
        return {"base_url": str(self._client.base_url), "server": software, "model": listed}

    def close(self) -> None:
        """Ends the event loop; no request is to be in flight."""
        self.submit(self._client.close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _with_patience(self, request: Mapping[str, Any]) -> Reply:
        """Waits while the server has too many requests; all conversations wait together."""
        pause, waited = FIRST_PAUSE_S, 0.0
        while True:
            # Again and again: another conversation may have been told to wait longer.
            while (left := self._resume_at - time.monotonic()) > 0:
                await asyncio.sleep(left)
            try:
                return await self._with_repeats(request)
            except self._openai.RateLimitError as limit:
                asked = retry_after(limit)
                pause = min(2 * pause, LONGEST_PAUSE_S) if asked is None else asked
                waited += pause
                if is_final(limit) or waited > self._settings.patience:
                    raise
                self._resume_at = max(self._resume_at, time.monotonic() + pause)

    async def _with_repeats(self, request: Mapping[str, Any]) -> Reply:
        """Asks again where a reply broke off or is none, which the client takes for success."""
        pause = FIRST_PAUSE_S
        for _ in range(self._settings.max_retries):
            try:
                return await self._once(request)
            except MalformedReplyError:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        return await self._once(request)

    async def _once(self, request: Mapping[str, Any]) -> Reply:
        completions = self._client.chat.completions
        if not self._settings.stream:
            raw = await completions.with_raw_response.create(**request)
            return read_reply(_json(raw.text))
        usage = {"include_usage": True}
        stream = await completions.create(**request, stream=True, stream_options=usage)
        pieces = Pieces()
        try:
            async with stream:
                async for chunk in stream:
                    pieces.add(chunk.model_dump())
        except Exception as fault:  # the client's and the transport's, which differ by version
            raise MalformedReplyError(f"the reply broke off: {sentence(fault)}") from fault
        return pieces.reply()

    def _failed(self, fault: Exception) -> ServiceError:
        """Counts a request that failed for good, and says why."""
        self._failures += 1
        reason = self._redacted(sentence(fault))
        if is_final(fault):
            return ServiceError(f"{self.model or 'the server'}: {reason}", stops=True)
        if self._failures >= self._settings.most_failures:
            counted = f"{self._failures} requests in a row have failed; the last one: {reason}"
            return ServiceError(counted, stops=True)
        return ServiceError(reason)

    def _only_model(self) -> str:
        names = [str(each.get("id")) for each in self._models()[0]]
        if len(names) == 1:
            return names[0]
        listed = ", ".join(names[:10]) or "none"
        raise ConfigError(f"expected openai:URL#MODEL with one of the server's models: {listed}")

    def _models(self) -> tuple[list[dict[str, Any]], str | None]:
        """Returns what the server lists, and the software that it says it is."""
        try:
            raw = self.submit(self._client.models.with_raw_response.list()).result()
            body = _json(raw.text)
            entries = body.get("data") if isinstance(body, dict) else None
        except (self._openai.NotFoundError, MalformedReplyError):
            return [], None  # not every server lists its models
        except Exception as fault:
            raise ServiceError(self._redacted(sentence(fault)), stops=True) from fault
        known = [each for each in entries or () if isinstance(each, dict)]
        kept = [{name: each[name] for name in _MODEL_FIELDS if name in each} for each in known]
        return kept, raw.headers.get("server")

    def _redacted(self, text: str) -> str:
        """Takes the key out of what a server says, which may quote it."""
        key = self._client.api_key
        return text.replace(key, "[key]") if key and key != DUMMY_KEY else text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise MalformedReplyError("the reply is no JSON") from fault


def _package() -> Any:
    try:
        import openai
    except ImportError as fault:
        raise ConfigError(
            f"openai:URL#MODEL needs {fault.name}, of the extra openai: "
            "pip install 'pixel-reason[openai]'"
        ) from None
    return openai


def _client(address: Address, settings: ServedSettings) -> Any:
    """Makes the client; a server on this machine needs no key."""
    package = _package()
    timeout = package.Timeout(settings.timeout, connect=min(settings.timeout, CONNECT_S))
    given: dict[str, Any] = {"timeout": timeout, "max_retries": settings.max_retries}
    if address.url:
        given["base_url"] = address.url
    if address.is_loopback:
        # A proxy of the environment can't reach this machine's own servers.
        given["http_client"] = package.DefaultAsyncHttpxClient(trust_env=False, timeout=timeout)
    try:
        return package.AsyncOpenAI(**given)
    except package.OpenAIError as fault:
        if address.is_loopback:
            return package.AsyncOpenAI(**given, api_key=DUMMY_KEY)
        raise ConfigError(f"openai:URL#MODEL needs OPENAI_API_KEY: {sentence(fault)}") from None
