"""Pages printed to PDF by a Chromium that is installed here: one start of the browser for all of them, and no network.

Driven over a pipe by the DevTools protocol, because `--print-to-pdf` starts a browser for each page.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_START_SECONDS = 20
_PAGE_SECONDS = 15
#: The file descriptors on which a browser reads and writes with `--remote-debugging-pipe`.
_READS, _WRITES = 3, 4
_FLAGS = [
    "--headless", "--remote-debugging-pipe", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND",
]  # fmt: skip
_PAPER = {"printBackground": True, "paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True}

_log = logging.getLogger(__name__)


class PrintError(Exception):
    """The browser did not print; the message says what it said or that it took too long."""


def find_chromium() -> Path | None:
    """The browser on the path, if there is one."""
    found = (shutil.which(name) for name in _NAMES)
    return next((Path(path) for path in found if path), None)


def print_pages(chromium: Path, pages: Sequence[Path]) -> list[Path]:
    """Print each HTML file to a PDF of its name beside it, and return those that were made.

    A browser that fails, or takes longer than 15 seconds for a page, leaves the rest unprinted: a night does not wait for paper.
    """
    printed = []
    try:
        with tempfile.TemporaryDirectory(prefix="phm-print-") as profile, _Browser(chromium, Path(profile)) as browser:
            for page in pages:
                target = page.with_suffix(".pdf")
                target.write_bytes(browser.print(page))
                printed.append(target)
    except (OSError, PrintError) as error:
        _log.warning("%s of %s pages were not printed to PDF: %s", len(pages) - len(printed), len(pages), error)
    return printed


class _Browser:
    """A headless browser and the pipe to it."""

    def __init__(self, chromium: Path, profile: Path) -> None:
        self._chromium, self._profile = chromium, profile
        self._last_id = 0
        self._unread = b""

    def __enter__(self) -> _Browser:
        its_input, self._to = os.pipe()
        self._from, its_output = os.pipe()
        # Chromium's sandbox refuses root, as a container often runs.
        flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else []), f"--user-data-dir={self._profile}"]

        # A shell puts the pipe where the browser looks for it, whatever numbers it has here.
        wiring = f'exec "$@" {_READS}<&{its_input} {_WRITES}>&{its_output}'
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", wiring, "print", str(self._chromium), *flags],
            pass_fds=(its_input, its_output),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(its_input)
        os.close(its_output)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._to)
        os.close(self._from)
        try:
            self._process.wait(timeout=5)  # it ends when its pipe does
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def print(self, page: Path) -> bytes:
        """The PDF of a file. Raises `PrintError` when the browser fails or takes too long."""
        until = time.monotonic() + _PAGE_SECONDS + (_START_SECONDS if self._last_id == 0 else 0)
        target = self._ask("Target.createTarget", {"url": "about:blank"}, until)["targetId"]
        session = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True}, until)["sessionId"]
        self._ask("Page.enable", {}, until, session)
        self._ask("Page.navigate", {"url": page.resolve().as_uri()}, until, session)
        while self._next(until).get("method") != "Page.loadEventFired":
            pass
        printed = self._ask("Page.printToPDF", _PAPER, until, session)["data"]
        self._ask("Target.closeTarget", {"targetId": target}, until)
        return base64.b64decode(printed)

    def _ask(self, method: str, parameters: dict[str, Any], until: float, session: str | None = None) -> dict[str, Any]:
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        try:
            os.write(self._to, json.dumps(message).encode() + b"\0")
        except BrokenPipeError as error:
            raise PrintError(f"{self._chromium} ended") from error
        while (answer := self._next(until)).get("id") != self._last_id:
            pass
        if "error" in answer:
            raise PrintError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def _next(self, until: float) -> dict[str, Any]:
        """The next message of the browser."""
        while b"\0" not in self._unread:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._from], [], [], left)[0]:
                raise PrintError("it took too long")
            read = os.read(self._from, 1 << 20)
            if not read:
                raise PrintError(f"{self._chromium} ended")
            self._unread += read
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)
