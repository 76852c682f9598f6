"""The record of a study: an SQLite file with one row for each finished run, kept as it ends.

A run is found again by its key, that of its changed input, options and versions; so a study that was interrupted, killed or extended
goes on where it was. The file keeps its rows when the process that writes it is killed (write-ahead log).
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from optimiser.errors import OutputError
from optimiser.studies.case import Result

FORMAT = 1
_TABLE = """
CREATE TABLE IF NOT EXISTS runs (
    key TEXT PRIMARY KEY, changes TEXT NOT NULL, status TEXT NOT NULL, objective REAL, bound REAL, gap REAL, seconds REAL NOT NULL,
    how TEXT NOT NULL, message TEXT NOT NULL, figures TEXT NOT NULL, stock TEXT NOT NULL, ended TEXT DEFAULT CURRENT_TIMESTAMP
)"""
AGAIN = ("crashed",)  # what is tried again when the study is started again: a process may have been killed from outside


class Record:
    """The record at `path`; made where there is none. Raises OutputError where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._told():
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, FORMAT):
                raise OutputError(f"{path}: is the record of another version ({version}); choose another with --record")
            self._connection.execute(_TABLE)
            self._connection.execute(f"PRAGMA user_version={FORMAT}")

    def __enter__(self) -> Record:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    def find(self, key: str) -> Result | None:
        """The result of a run that has ended; None where it has not, or is to be tried again."""
        found = self.find_any(key)
        return None if found is None or found.status in AGAIN else found

    def find_any(self, key: str) -> Result | None:
        """The result of a run that has ended, however."""
        with self._told():
            row = self._connection.execute(
                "SELECT status, objective, bound, gap, seconds, how, message, figures, stock FROM runs WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        names = ("status", "objective", "bound", "gap", "seconds", "how", "message")
        return Result(**dict(zip(names, row, strict=False)), figures=json.loads(row[7]), stock=array("f", json.loads(row[8])))

    def keep(self, key: str, changes: str, result: Result) -> None:
        """Keep a run; it is on the disk when this returns."""
        r = replace(result, figures=dict(result.figures))
        values = (key, changes, r.status, r.objective, r.bound, r.gap, r.seconds, r.how, r.message, json.dumps(r.figures))
        with self._told():
            self._connection.execute(
                "INSERT OR REPLACE INTO runs (key, changes, status, objective, bound, gap, seconds, how, message, figures, stock) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, json.dumps([*r.stock])),
            )

    def forget(self, key: str) -> None:
        """Take a run out, for it to be run again."""
        with self._told():
            self._connection.execute("DELETE FROM runs WHERE key = ?", (key,))

    def __len__(self) -> int:
        with self._told():
            return int(self._connection.execute("SELECT COUNT(*) FROM runs").fetchone()[0])

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as reason:
            mend = "free some space" if "full" in str(reason) else "is it a record of studies, and not in use elsewhere?"
            kept = "finished runs are kept: start the study again to go on" if "full" in str(reason) else "choose another with --record"
            raise OutputError(f"{self.path}: the record cannot be used ({reason}); {mend}; {kept}") from reason
