"""Dagster's event log in SQLite, without opening and syncing a database for each of a night's 1,500 events.

Dagster's own storage opens its database for every event, waits for the disk at every commit, and folds the write-ahead log into
the database at every close: about 10 ms of processor and several waits for the disk an event. The files are the same here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import StaticPool

_SECONDS_TO_WAIT_FOR_A_LOCK = 30


class RunLog(SqliteEventLogStorage):
    """Dagster's event log on connections that stay open. Named in `dagster.yaml`.

    A run that is killed loses no event; a machine that loses power may lose the last of them, and never the database.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, sqlalchemy.Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> RunLog:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        with self._db_lock:
            if shard not in self._engines:
                self._engines[shard] = self._open(shard)
            with self._engines[shard].begin() as connection:
                yield connection

    def _open(self, shard: str) -> sqlalchemy.Engine:
        engine = sqlalchemy.create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,  # one connection, which `_db_lock` hands from thread to thread
            connect_args={"timeout": _SECONDS_TO_WAIT_FOR_A_LOCK, "check_same_thread": False},
        )
        sqlalchemy.event.listen(engine, "connect", _sync_at_checkpoints_only)
        self._initdb(engine)
        return engine

    def dispose(self) -> None:
        super().dispose()
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


def _sync_at_checkpoints_only(connection: Any, _record: Any) -> None:
    connection.execute("pragma synchronous = normal")
