"""A headless Chromium that a test drives through its pipe of debugging messages."""

from __future__ import annotations

import base64
import fcntl
import io
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
TIMEOUT_S = 20
KEYS = {"Enter": 13, "Escape": 27}
KEYS |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
"""Codes of the keys that write nothing."""


class Browser:
    """One page of a browser.

    Attributes:
        complaints: errors and warnings of the console, and exceptions of scripts.
        requested: the addresses that were asked for.
    """

    def __init__(self, folder: Path) -> None:
        """Starts a browser whose profile is in a folder."""
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # Away from 3 and 4, the numbers under which the browser finds its pipe.
        ends = [fcntl.fcntl(each, fcntl.F_DUPFD, 20) for each in (theirs_in, theirs_out)]

        def place() -> None:
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self._process = subprocess.Popen(
            [
                *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *(f"--user-data-dir={folder / 'profile'}", "--remote-debugging-pipe"),
                *("--force-device-scale-factor=1", "--no-first-run", "about:blank"),
            ],
            preexec_fn=place, pass_fds=(3, 4), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for each in (theirs_in, theirs_out, *ends):
            os.close(each)
        self._unread, self._number, self._session = b"", 0, ""
        self.complaints: list[str] = []
        self.requested: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.bringToFront")
        self.size(1200, 900)

    def close(self) -> None:
        """Ends the browser."""
        self._process.terminate()
        self._process.wait(20)
        os.close(self._out)
        os.close(self._in)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Asks for something and returns the reply."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._next()
            if reply.get("id") == self._number:
                assert "error" not in reply, (method, reply["error"])
                result: dict[str, Any] = reply["result"]
                return result

    def open(self, address: str) -> None:
        """Opens a page and waits until it is loaded."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def js(self, expression: str) -> Any:
        """Returns the value of an expression in the page."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, (expression, found["exceptionDetails"])
        return found["result"].get("value")

    def until(self, expression: str) -> None:
        """Waits until an expression holds."""
        deadline = time.monotonic() + TIMEOUT_S
        while not self.js(f"Boolean({expression})"):
            assert time.monotonic() < deadline, f"never: {expression}"
            time.sleep(0.02)

    def pictures_loaded(self) -> None:
        """Waits until every picture that is on the screen is there."""
        self.until(
            "[...document.images].filter(i => { const r = i.getBoundingClientRect();"
            " return r.width && r.bottom > 0 && r.top < innerHeight; })"
            ".every(i => i.complete && i.naturalWidth)"
        )
        self.shot()  # a frame, before which large pictures may not be decoded

    def size(self, width: int, height: int) -> None:
        """Sets the size of the page in pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def scheme(self, name: str) -> None:
        """Sets "light" or "dark"."""
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": name}],
        )

    def key(self, key: str) -> None:
        """Presses a key."""
        named = {"key": key, "windowsVirtualKeyCode": KEYS.get(key, 0)}
        if key not in KEYS:
            named["text"] = key
        elif key == "Enter":
            named["text"] = "\r"
        self.call("Input.dispatchKeyEvent", type="keyDown", **named)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def drag(self, *points: tuple[float, float]) -> None:
        """Presses the mouse at the first point, moves to the others, and lets go."""
        for point, kind in [
            (points[0], "mousePressed"),
            *((each, "mouseMoved") for each in points[1:]),
            (points[-1], "mouseReleased"),
        ]:
            x, y = point
            self.call(
                "Input.dispatchMouseEvent",
                type=kind, x=x, y=y, button="left", buttons=1, clickCount=1,
            )  # fmt: skip

    def click(self, selector: str) -> None:
        """Clicks the middle of an element, where it can be seen."""
        x, y = self.js(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        self.drag((x, y))

    def shot(self, path: Path | None = None) -> np.ndarray:
        """Returns what is on the screen, (height, width, 3); writes it where a path is given."""
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        if path is not None:
            path.write_bytes(data)
        with Image.open(io.BytesIO(data)) as picture:
            return np.asarray(picture.convert("RGB")).astype(int)

    def _next(self) -> dict[str, Any]:
        """Reads one message, and notes what it says about the page."""
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._in], [], [], TIMEOUT_S)
            assert ready, "the browser says nothing"
            read = os.read(self._in, 1 << 20)
            assert read, "the browser is gone"
            self._unread += read
        line, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, params: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(params["args"]))
        elif event == "Log.entryAdded":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif event == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif event == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {params['message']}")


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Gives a browser, and ends it."""
    made = Browser(folder)
    try:
        yield made
    finally:
        made.close()
