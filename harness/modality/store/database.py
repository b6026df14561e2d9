"""One SQLite file in WAL mode: migrations, an owner's lock, transactions that either happen or do not."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.modality.errors import StoreProblem
from harness.modality.store.schema import MIGRATIONS, PUBLISHED


class Database:
    """A connection that several threads may share; writers wait for each other."""

    def __init__(self, path: Path, *, busy_seconds: float = 5.0) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._owner = self._own(path.with_name(path.name + ".lock"))
        try:
            self._connection = sqlite3.connect(
                path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._migrate()
        except sqlite3.DatabaseError as error:
            if hasattr(self, "_connection"):
                self._connection.close()
            self._owner.close()
            raise problem(path, error) from error

    @staticmethod
    def _own(path: Path) -> sqlite3.Connection:
        # An exclusive transaction on a side file is a lock that the system frees when the process dies.
        owner = sqlite3.connect(path, timeout=0.2, isolation_level=None, check_same_thread=False)
        try:
            owner.execute("PRAGMA journal_mode = MEMORY")
            owner.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            owner.close()
            raise StoreProblem(
                f"{path.parent} is in use by another modality process; stop it, or reach it with --url and --token"
            ) from None
        return owner

    def _migrate(self) -> None:
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version == 0:
            names = {row[0] for row in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            version = 1 if set(PUBLISHED) <= names else 0
        if version > len(MIGRATIONS):
            raise StoreProblem(f"{self.path} was written by a newer version ({version}); update this program")
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            # executescript commits first, so each step is one script with its own transaction.
            self._connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")

    @property
    def version(self) -> int:
        """The number of migrations that the file has had."""
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        """Close the file and give up its ownership."""
        with self._lock:
            self._connection.close()
            self._owner.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a block as one transaction; nested blocks join the outer one. Raises StoreProblem for disk faults."""
        with self._lock:
            outer = self._depth == 0
            self._depth += 1
            try:
                if outer:
                    self._connection.execute("BEGIN IMMEDIATE")
                yield
                if outer:
                    self._connection.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                self._roll_back(outer)
                raise problem(self.path, error) from error
            except BaseException:
                self._roll_back(outer)
                raise
            finally:
                self._depth -= 1

    def _roll_back(self, outer: bool) -> None:
        if outer and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def run(self, sql: str, *values: Any) -> int:
        """Run one statement in a transaction; return the key of a new row."""
        with self.transaction():
            return int(self._connection.execute(sql, values).lastrowid or 0)

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Return the rows of a query as dictionaries."""
        with self._lock:
            try:
                return [dict(row) for row in self._connection.execute(sql, values)]
            except sqlite3.DatabaseError as error:
                raise problem(self.path, error) from error

    def row(self, sql: str, *values: Any) -> dict[str, Any] | None:
        """Return the first row of a query."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def scalar(self, sql: str, *values: Any) -> Any:
        """Return the first value of the first row of a query."""
        found = self.row(sql, *values)
        return next(iter(found.values())) if found else None

    def next(self, counter: str) -> int:
        """Return the next value of a counter; no value is given twice, whatever happens."""
        with self.transaction():
            self.run("INSERT INTO Counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", counter)
            return int(self.scalar("SELECT value FROM Counter WHERE name = ?", counter))

    def log(self, now: str, level: int, kind: str, message: str, data: Mapping[str, Any] | None = None) -> None:
        """Write a line into the event log; level 1 is an error, 2 a warning, 3 information."""
        self.run(
            "INSERT INTO EventLog (event_dttm, level, kind, message, data) VALUES (?, ?, ?, ?, ?)",
            now, level, kind, message, json.dumps(dict(data or {}), ensure_ascii=False),
        )  # fmt: skip

    def check(self) -> list[str]:
        """Return what is wrong with the file and its counters; empty if nothing is."""
        found = [str(next(iter(row.values()))) for row in self.rows("PRAGMA integrity_check")]
        problems = [line for line in found if line != "ok"]
        problems += [f"foreign key: {row}" for row in self.rows("PRAGMA foreign_key_check")]
        for row in self.rows(
            "SELECT study_key, series_count, instance_count, study_size, "
            "(SELECT count(*) FROM Series s WHERE s.study_key = t.study_key AND s.deleted_dttm IS NULL) AS series_is, "
            "(SELECT count(*) FROM Instance i WHERE i.study_key = t.study_key AND i.deleted_dttm IS NULL) AS "
            "instances_are, "
            "(SELECT coalesce(sum(instance_size), 0) FROM Instance i WHERE i.study_key = t.study_key "
            "AND i.deleted_dttm IS NULL) AS size_is FROM Study t"
        ):
            said = (row["series_count"], row["instance_count"], row["study_size"])
            real = (row["series_is"], row["instances_are"], row["size_is"])
            if said != real:
                problems.append(f"study {row['study_key']}: counters say {said}, rows say {real}")
        return problems


def problem(path: Path, error: sqlite3.DatabaseError) -> StoreProblem:
    """Say in a technologist's words what is wrong with the database."""
    words = str(error)
    if "full" in words:
        return StoreProblem(f"{path}: the disk is full; free space, nothing that was confirmed is lost")
    if any(sign in words for sign in ("malformed", "not a database", "no such table", "no such column")):
        return StoreProblem(
            f"{path}: the database is damaged ({words}); restore it from a backup, "
            "or move it away: the image files stay where they are"
        )
    if "locked" in words:
        return StoreProblem(f"{path}: another program holds the database; close it and try again")
    return StoreProblem(f"{path}: {words}")
