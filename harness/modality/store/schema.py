"""The tables. `Study`, `Series` and `Instance` are the published three; all else lies in further tables."""

from __future__ import annotations

BASE = """
CREATE TABLE Study (
  study_key integer PRIMARY KEY,
  study_instance_uid varchar(64) NOT NULL UNIQUE,
  study_size integer NOT NULL DEFAULT 0,
  patient_id varchar(64),
  patient_name varchar(256),
  patient_sex char,
  patient_birth_dttm datetime,
  patient_age varchar(16),
  patient_size varchar(16),
  patient_weight varchar(16),
  study_id varchar(32),
  study_dttm datetime,
  study_desc varchar(64),
  accession_no varchar(32),
  modalities varchar(8),
  series_count integer NOT NULL DEFAULT 0,
  instance_count integer NOT NULL DEFAULT 0,
  created_dttm datetime,
  updated_dttm datetime,
  deleted_dttm datetime
);
CREATE TABLE Series (
  series_key integer PRIMARY KEY,
  study_key integer NOT NULL REFERENCES Study (study_key),
  series_instance_uid varchar(64) NOT NULL UNIQUE,
  series_size integer NOT NULL DEFAULT 0,
  modality varchar(8),
  series_no numeric,
  series_dttm datetime,
  series_desc varchar(64),
  bodypart varchar(32),
  instance_count integer NOT NULL DEFAULT 0,
  created_dttm datetime,
  deleted_dttm datetime
);
CREATE TABLE Instance (
  instance_key integer PRIMARY KEY,
  study_key integer NOT NULL REFERENCES Study (study_key),
  series_key integer NOT NULL REFERENCES Series (series_key),
  sop_instance_uid varchar(64) NOT NULL UNIQUE,
  sop_class_id varchar(64),
  instance_size integer NOT NULL DEFAULT 0,
  instance_no integer,
  windowing_center integer,
  windowing_width integer,
  path_name varchar(128),
  file_name varchar(64),
  content_dttm datetime,
  created_dttm datetime,
  deleted_dttm datetime
);
"""

WORKFLOW = """
CREATE TABLE Setting (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE Counter (name text PRIMARY KEY, value integer NOT NULL);
CREATE TABLE WorklistItem (
  item_key integer PRIMARY KEY, position integer NOT NULL, fetched_dttm datetime NOT NULL,
  study_instance_uid varchar(64), step_id varchar(16), patient_id varchar(64), document text NOT NULL
);
CREATE TABLE Exam (
  exam_key integer PRIMARY KEY, kind text NOT NULL, state text NOT NULL, study_instance_uid varchar(64) NOT NULL,
  patient_id varchar(64), document text NOT NULL, created_dttm datetime NOT NULL, updated_dttm datetime NOT NULL
);
CREATE INDEX ExamByStudy ON Exam (study_instance_uid);
CREATE TABLE PerformedStep (
  performed_key integer PRIMARY KEY, exam_key integer NOT NULL REFERENCES Exam (exam_key),
  sop_instance_uid varchar(64) NOT NULL UNIQUE, step_id varchar(16) NOT NULL, status text NOT NULL,
  started_dttm datetime NOT NULL, ended_dttm datetime, created_at_peer datetime, ended_at_peer datetime
);
CREATE TABLE Job (
  job_key integer PRIMARY KEY, kind text NOT NULL, subject text NOT NULL, exam_key integer, payload text NOT NULL,
  state text NOT NULL, attempts integer NOT NULL DEFAULT 0, created_dttm datetime NOT NULL,
  first_dttm datetime, next_dttm datetime NOT NULL, ended_dttm datetime, message text NOT NULL DEFAULT ''
);
CREATE INDEX JobByState ON Job (state, next_dttm);
CREATE TABLE JobAttempt (
  attempt_key integer PRIMARY KEY, job_key integer NOT NULL REFERENCES Job (job_key), number integer NOT NULL,
  started_dttm datetime NOT NULL, ended_dttm datetime, outcome text NOT NULL, message text NOT NULL DEFAULT ''
);
CREATE INDEX JobAttemptByJob ON JobAttempt (job_key);
CREATE TABLE Delivery (
  sop_instance_uid varchar(64) PRIMARY KEY, exam_key integer, origin text NOT NULL,
  transfer_syntax varchar(64) NOT NULL,
  job_key integer, stored_dttm datetime, stored_status integer, committed_dttm datetime, failure_reason integer
);
CREATE TABLE Commitment (
  transaction_uid varchar(64) PRIMARY KEY, study_instance_uid varchar(64) NOT NULL, job_key integer,
  requested_dttm datetime NOT NULL, answered_dttm datetime, state text NOT NULL
);
CREATE TABLE CommitmentItem (
  transaction_uid varchar(64) NOT NULL REFERENCES Commitment (transaction_uid), sop_class_id varchar(64) NOT NULL,
  sop_instance_uid varchar(64) NOT NULL, state text NOT NULL, failure_reason integer,
  PRIMARY KEY (transaction_uid, sop_instance_uid)
);
CREATE TABLE EventLog (
  event_key integer PRIMARY KEY, event_dttm datetime NOT NULL, level integer NOT NULL, kind text NOT NULL,
  message text NOT NULL, data text NOT NULL DEFAULT '{}'
);
CREATE VIEW SendJob AS SELECT * FROM Job WHERE kind = 'send';
CREATE VIEW PrintJob AS SELECT * FROM Job WHERE kind = 'print';
CREATE VIEW MediaJob AS SELECT * FROM Job WHERE kind = 'media';
"""

# Instances that a database of the bare schema already holds were never sent by us, as far as we know.
ADOPT = """
INSERT OR IGNORE INTO Delivery (sop_instance_uid, exam_key, origin, transfer_syntax)
  SELECT sop_instance_uid, NULL, 'adopted', '1.2.840.10008.1.2.1' FROM Instance;
"""

MIGRATIONS: tuple[str, ...] = (BASE, WORKFLOW, ADOPT)
PUBLISHED = ("Study", "Series", "Instance")


def ddl() -> str:
    """Return the whole schema as SQL."""
    return (BASE + WORKFLOW).strip() + "\n"
