"""A preview shows a page as it is written, says what is wrong with it, and answers this machine only."""

from __future__ import annotations

import re
import shutil
import threading
import urllib.error
import urllib.request
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.publishing.pages import SiteFacts
from orchestration.publishing.preview import Preview, make_server

PAGE = """---
title: Trees
description: How many trees there are.
---

There are {{ trees[0].n }} trees.

```sql trees
select 17 as n
```
"""


@pytest.fixture
def preview(tmp_path):
    pages = tmp_path / "pages"
    (pages / "common").mkdir(parents=True)
    for path in (path for path in Path("pages").iterdir() if path.is_file()):
        shutil.copy(path, pages / path.name)
    (pages / "common" / "index.md").write_text(PAGE)
    with duckdb.connect(str(tmp_path / "release.duckdb")) as connection:
        connection.execute("create schema marts")
    facts = SiteFacts("direct_care", "2026-04-01-a", date(2026, 4, 1))
    return Preview(pages, {"direct_care": (tmp_path / "release.duckdb", facts)})


@pytest.fixture
def address(preview):
    stop = threading.Event()
    watcher = threading.Thread(target=preview.watch, args=(stop,), daemon=True)
    with make_server(preview, 0) as server:
        watcher.start()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        stop.set()
        server.shutdown()
    watcher.join()


def get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_page_follows_its_file_and_says_what_is_wrong_with_it(preview, address):
    page = preview.pages_dir / "common" / "index.md"
    assert get(f"{address}/")[1].count("/direct_care/index.html") == 1
    assert "There are 17 trees." in get(f"{address}/direct_care/index.html")[1]
    with urllib.request.urlopen(f"{address}/events", timeout=10) as events:
        first = [events.readline() for _ in range(3)][1]
        page.write_text(PAGE.replace("select 17", "select 18"))
        assert [events.readline() for _ in range(3)][1] != first
    assert "There are 18 trees." in get(f"{address}/direct_care/")[1]
    page.write_text(PAGE.replace("select 17", "select 17 from marts.shrub"))
    status, wrong = get(f"{address}/direct_care/index.html")
    assert status == 500
    assert re.search(r"index\.md, line 8, sql block .*shrub", wrong)
    assert "/events" in wrong
    page.unlink()
    assert get(f"{address}/direct_care/index.html")[0] == 404


def test_the_search_of_a_preview_lists_its_pages(address):
    status, html = get(f"{address}/direct_care/search.html")
    assert status == 200
    assert '<a href="index.html">Trees</a>' in html


def test_only_this_machine_is_answered(address):
    assert get(f"{address}/direct_care/index.html", Host="pages.example.org")[0] == 403
    assert get(f"{address}/direct_care/../../etc/passwd")[0] == 404
