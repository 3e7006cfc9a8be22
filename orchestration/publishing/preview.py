"""A preview of sites while their pages are being written: on this machine only, each page made when it is asked for.

A change to the folder of pages makes every open page load itself again. A page that cannot be built shows why.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from orchestration.publishing.pages import PageError, SiteFacts
from orchestration.publishing.site import open_site

#: The only address: what a page shows is for whoever sits at this machine.
ADDRESS = "127.0.0.1"
_LOOK_SECONDS = 0.4
_BEAT_SECONDS = 10.0
_EVENTS = "/events"

#: Loads the page again when the server says that something changed, and when it comes back after a stop.
_RELOAD = """
(function () {
  let seen = null;
  new EventSource("/events").addEventListener("version", function (event) {
    if (seen !== null && seen !== event.data) location.reload();
    seen = event.data;
  });
})();
"""


@dataclass
class Preview:
    """The sites that are previewed, and which state of the folder of pages they show."""

    pages_dir: Path
    sites: Mapping[str, tuple[Path, SiteFacts]]
    version: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def page(self, purpose: str, name: str) -> tuple[HTTPStatus, str]:
        """One page, or in its place what is wrong with it."""
        database, facts = self.sites[purpose]
        try:
            with self._one_at_a_time, open_site(database, self.pages_dir, facts, _RELOAD) as site:
                if name == "search.html":
                    return HTTPStatus.OK, site.search_html(dict.fromkeys(site.pages, ()))
                page = site.pages.get(name.removesuffix(".html"))
                if page is None:
                    return HTTPStatus.NOT_FOUND, _message("No such page", f"{purpose} has no page {name}")
                return HTTPStatus.OK, site.html(page, site.body(page))
        except PageError as error:
            return HTTPStatus.INTERNAL_SERVER_ERROR, _message("This page cannot be built", str(error))

    def watch(self, until: threading.Event) -> None:
        """Notice changes to the folder of pages, until told to stop."""
        before = self._state()
        while not until.wait(_LOOK_SECONDS):
            if (now := self._state()) != before:
                before = now
                with self.changed:
                    self.version += 1
                    self.changed.notify_all()

    def _state(self) -> dict[Path, int]:
        state = {}
        for path in self.pages_dir.rglob("*"):
            try:
                state[path] = path.stat().st_mtime_ns
            except FileNotFoundError:  # it went while we looked, as an editor's own file does
                continue
        return state


def make_server(preview: Preview, port: int) -> ThreadingHTTPServer:
    """The server of a preview, on 127.0.0.1. Raises `OSError` when the port is taken; port 0 takes any."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # A page of another site that found a name for this address is not answered.
            if (self.headers.get("Host") or "").partition(":")[0] not in (ADDRESS, "localhost"):
                self._answer(HTTPStatus.FORBIDDEN, _message("Not here", f"Ask for http://{ADDRESS}:{self.server.server_port}"))
                return
            path = unquote(urlsplit(self.path).path)
            purpose, _, name = path.strip("/").partition("/")
            if path == _EVENTS:
                self._send_versions()
            elif purpose in preview.sites:
                self._answer(*preview.page(purpose, name or "index.html"))
            else:
                links = "".join(f"<li><a href='/{p}/index.html'>{p.replace('_', ' ')}</a></li>" for p in preview.sites)
                status = HTTPStatus.NOT_FOUND if purpose else HTTPStatus.OK
                self._answer(status, _document("Sites", f"<ul>{links}</ul>"))

        def _answer(self, status: HTTPStatus, html: str) -> None:
            content = html.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def _send_versions(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            try:
                while True:
                    self.wfile.write(f"event: version\ndata: {preview.version}\n\n".encode())
                    self.wfile.flush()
                    with preview.changed:
                        preview.changed.wait(_BEAT_SECONDS)
            except OSError:  # the browser went away
                return

        def log_message(self, *_: object) -> None:
            """Nothing: a log of what was looked at is nobody's business."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    return Server((ADDRESS, port), Handler)


def serve_preview(preview: Preview, port: int) -> None:
    """Serve a preview until it is interrupted."""
    stop = threading.Event()
    watcher = threading.Thread(target=preview.watch, args=(stop,), daemon=True)
    with make_server(preview, port) as server:
        watcher.start()
        try:
            server.serve_forever()
        finally:
            stop.set()


def _message(title: str, words: str) -> str:
    return _document(title, f"<pre>{escape(words)}</pre>")


def _document(title: str, body: str) -> str:
    style = "body{font:1.2rem/1.5 Arial;margin:2rem}pre{white-space:pre-wrap;border-left:8px solid #d5281b;padding:1rem}"
    return (
        f"<!doctype html><html lang='en-GB'><head><meta charset='utf-8'><title>{title}</title><link rel='icon' href='data:,'>"
        f"<style>{style}</style></head><body><h1>{title}</h1>{body}<script>{_RELOAD}</script></body></html>"
    )
