"""The record of a study: an SQLite file with one row for each finished run, kept as it ends.

A run is found again by its key, that of its changed input, options and versions; so a study that
was interrupted, killed or extended goes on where it was. The file keeps its rows when the process
that writes it is killed (write-ahead log). Each row carries a checksum of its key and of what it
says: a row that was edited or damaged is not believed, and its run is made again. The checksum is
no signature: whoever can write the file can make one, so only a record of one's own is to be used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from optimiser.studies.engine.case import Case, CaseResult
from optimiser.system.errors import OutputError

FORMAT = 2
APPLICATION = 0x53746B70  # "Stkp", in the head of each SQLite file that is a record
_TEXT, _NUMBER = (
    ("study", "note", "changes", "asked", "status", "how", "message", "figures", "stock"),
    ("objective", "bound", "gap", "seconds"),
)
_COLUMNS = (*_TEXT, *_NUMBER)
_TABLE = (
    "CREATE TABLE runs (key TEXT PRIMARY KEY, "
    + ", ".join(
        [*(f"{name} TEXT NOT NULL" for name in _TEXT), *(f"{name} REAL" for name in _NUMBER)]
    )
    + ", checksum TEXT NOT NULL, ended TEXT DEFAULT CURRENT_TIMESTAMP)"
)
_SCHEMA = [("index", "sqlite_autoindex_runs_1", None), ("table", "runs", _TABLE)]
_RESULT = ("status", "objective", "bound", "gap", "seconds", "how", "message")
AGAIN = (
    "failed",
    "crashed",
)  # what is tried again when the study is started again: what made it fail may be gone
LONGEST = 2**26  # bytes of a row; no run says as much


class Record:
    """The record at `path`; made where there is none.

    Raises OutputError where it cannot be read or written, and for a file that this program did not
    write: that is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0  # rows whose checksum does not fit
        self.earlier = 0  # results found that stood in the record when it was opened
        folder = path.resolve().parent
        if not folder.is_dir():
            raise OutputError(
                f"{path}: there is no folder {folder}; make it or choose another with --record"
            )
        if path.exists() and not path.is_file():
            raise OutputError(f"{path}: is no file; choose another with --record")
        with self._explained():
            if path.exists() and path.stat().st_size:
                # As a file that cannot change: so nothing is written, not even next to it, before
                # it is known to be ours.
                with contextlib.closing(
                    sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)
                ) as connection:
                    self._check(connection)
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
            self._connection.text_factory = _decoded
            self._check(self._connection)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(
                "BEGIN IMMEDIATE"
            )  # fails where the file or its folder is read-only
            if not self._schema(self._connection):
                self._connection.execute(f"PRAGMA application_id={APPLICATION}")
                self._connection.execute(f"PRAGMA user_version={FORMAT}")
                self._connection.execute(_TABLE)
            self._last = self._connection.execute(
                "SELECT COALESCE(MAX(rowid), 0) FROM runs"
            ).fetchone()[0]
            self._connection.execute("COMMIT")

    def _check(self, connection: sqlite3.Connection) -> None:
        """Refuse a file that is neither empty nor a record of this version.

        No row is looked at: a view in the place of our table may have no end.
        """
        connection.execute("PRAGMA trusted_schema=OFF")
        application, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
        if (found := (application, version, self._schema(connection))) in (
            (0, 0, []),
            (APPLICATION, FORMAT, _SCHEMA),
        ):
            return
        if application == APPLICATION and version != FORMAT:
            said = f"is a record of another version ({version})"
        elif found[:2] == (0, 1):
            said = "is no record of studies, or one of a version before this"
        else:
            said = "is an SQLite file, but no record of studies"
        raise OutputError(f"{self.path}: {said}; it is left as it is: choose another with --record")

    @staticmethod
    def _schema(connection: sqlite3.Connection) -> list[tuple[str, str, str | None]]:
        """Return kind, name and statement of each table, index, view and trigger of the file.

        Of more than there may be these are only some.
        """
        return connection.execute(
            "SELECT type, name, sql FROM sqlite_master ORDER BY type, name LIMIT 5"
        ).fetchall()

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def find(self, key: str) -> CaseResult | None:
        """Find the result of a run that has ended; None where it has not, or is to be made again:
        because it failed, or because its row is damaged. `damaged` counts these, and `earlier` what
        stood here before.
        """
        row = self._row(key)
        found = None if row is None else _believed(key, row[1:])
        self.damaged += row is not None and found is None
        if found is None or found.status in AGAIN:
            return None
        self.earlier += row is not None and row[0] <= self._last
        return found

    def find_any(self, key: str) -> CaseResult | None:
        """Find the result of a run that has ended, however; None where there is none or its row is
        damaged.
        """
        row = self._row(key)
        return None if row is None else _believed(key, row[1:])

    def _row(self, key: str) -> tuple[Any, ...] | None:
        with self._explained():
            names = ", ".join(("rowid", *_COLUMNS, "checksum"))
            row: tuple[Any, ...] | None = self._connection.execute(
                f"SELECT {names} FROM runs WHERE key = ?", (key,)
            ).fetchone()
        return row

    def keep(self, key: str, study: str, case: Case, result: CaseResult) -> None:
        """Keep a run of a study; it is on the disk when this returns."""
        r = result
        text = (
            study,
            case.note,
            case.said,
            case.asked,
            r.status,
            r.how,
            r.message,
            json.dumps(dict(r.figures)),
            json.dumps([*r.stock]),
        )
        row = (
            *(each.encode(errors="replace").decode() for each in text),
            *map(_number, (r.objective, r.bound, r.gap, r.seconds)),
        )
        names = ("key", *_COLUMNS, "checksum")
        with self._explained():
            self._connection.execute(
                f"INSERT OR REPLACE INTO runs ({', '.join(names)}) VALUES"
                f" ({', '.join('?' * len(names))})",
                (key, *row, _checksum(key, row)),
            )

    def forget(self, key: str) -> None:
        """Take a run out, for it to be run again."""
        with self._explained():
            self._connection.execute("DELETE FROM runs WHERE key = ?", (key,))

    def __len__(self) -> int:
        with self._explained():
            return int(self._connection.execute("SELECT COUNT(*) FROM runs").fetchone()[0])

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as reason:
            raise OutputError(f"{self.path}: {_explained(reason)}") from reason


def _believed(key: str, row: Sequence[Any]) -> CaseResult | None:
    """Return the result that a row holds; None where its checksum does not fit."""
    *cells, checksum = row
    if checksum != _checksum(key, cells):
        return None
    said = dict(zip(_COLUMNS, cells, strict=True))
    figures, stock = json.loads(said.pop("figures")), array("f", json.loads(said.pop("stock")))
    return CaseResult(
        **{name: value for name, value in said.items() if name in _RESULT},
        figures=figures,
        stock=stock,
    )


def _checksum(key: str, row: Sequence[Any]) -> str:
    """Return the SHA-256 of a key and of the cells of its row, each with its kind."""
    return hashlib.sha256(repr((key, *row)).encode(errors="replace")).hexdigest()


def _number(value: float | None) -> float | None:
    """Return a number as SQLite gives it back: no nan, and no whole number in a column of reals."""
    return None if value is None or math.isnan(value) else float(value)


def _decoded(text: bytes) -> str:
    return text.decode(errors="replace")


def _explained(reason: sqlite3.Error) -> str:
    """Return why a record cannot be used, and what to do about it."""
    kind, other = getattr(reason, "sqlite_errorname", ""), "or choose another with --record"
    if kind.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"the record, or its folder, is read-only; allow writing to both {other}"
    if kind.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"the record is in use by another program; wait for it {other}"
    if kind.startswith("SQLITE_FULL"):
        return (
            "the disk is full; free some space: finished runs are kept, start the study again to"
            " go on"
        )
    if kind.startswith("SQLITE_NOTADB"):
        return "is no record of studies; it is left as it is: choose another with --record"
    return f"the record cannot be used ({reason}); move it away {other}"
