"""The tables of a simulated archive's index, and a transaction over them."""

from __future__ import annotations

import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS patient (
  pk INTEGER PRIMARY KEY, patient_id TEXT NOT NULL, issuer TEXT NOT NULL, revised INTEGER NOT NULL DEFAULT 0,
  name1 TEXT NOT NULL, name2 TEXT NOT NULL, name3 TEXT NOT NULL, record TEXT NOT NULL, UNIQUE (patient_id, issuer));
CREATE TABLE IF NOT EXISTS retired (
  patient_id TEXT NOT NULL, issuer TEXT NOT NULL, patient INTEGER NOT NULL REFERENCES patient,
  UNIQUE (patient_id, issuer));
CREATE TABLE IF NOT EXISTS study (
  pk INTEGER PRIMARY KEY, patient INTEGER NOT NULL REFERENCES patient, uid TEXT NOT NULL UNIQUE, date TEXT NOT NULL,
  accession TEXT NOT NULL, study_id TEXT NOT NULL, modalities TEXT NOT NULL, n_series INTEGER NOT NULL DEFAULT 0,
  n_instances INTEGER NOT NULL DEFAULT 0, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS series (
  pk INTEGER PRIMARY KEY, study INTEGER NOT NULL REFERENCES study, uid TEXT NOT NULL, modality TEXT NOT NULL,
  n_instances INTEGER NOT NULL DEFAULT 0, record TEXT NOT NULL, UNIQUE (study, uid));
CREATE TABLE IF NOT EXISTS instance (
  pk INTEGER PRIMARY KEY, series INTEGER NOT NULL REFERENCES series, uid TEXT NOT NULL UNIQUE, sop_class TEXT NOT NULL,
  transfer_syntax TEXT NOT NULL, path TEXT NOT NULL, hidden INTEGER NOT NULL DEFAULT 0, record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS patient_name1 ON patient (name1);
CREATE INDEX IF NOT EXISTS patient_name2 ON patient (name2);
CREATE INDEX IF NOT EXISTS patient_name3 ON patient (name3);
CREATE INDEX IF NOT EXISTS study_patient ON study (patient);
CREATE INDEX IF NOT EXISTS study_date ON study (date);
CREATE INDEX IF NOT EXISTS study_accession ON study (accession);
CREATE INDEX IF NOT EXISTS instance_series ON instance (series);
"""


class Transaction:
    """Everything or nothing."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._database.execute("ROLLBACK" if kind else "COMMIT")
