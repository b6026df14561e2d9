"""The modality as a process of its own, driven from outside like any product."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from harness.modality.config import to_toml
from tests.integration.modality.hospital import Hospital, entry


def test_process_announces_works_and_ends_on_sigterm(tmp_path: Path) -> None:
    with Hospital(worklist=[entry()]).open() as hospital:
        settings = tmp_path / "settings.toml"
        settings.write_text(to_toml(hospital.settings()), encoding="utf-8")
        command = [sys.executable, "-m", "harness.modality", "serve", "--port", "0", "--home", str(tmp_path / "home")]
        with subprocess.Popen(
            [*command, "--config", str(settings)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                ready = json.loads(process.stdout.readline())
                hospital.modality = (ready["ae_title"], "127.0.0.1", ready["dicom_port"])

                def post(verb: str, **arguments: Any) -> Any:
                    head = {"Content-Type": "application/json", "X-Modality-Token": ready["token"]}
                    request = urllib.request.Request(f"{ready['url']}/api/{verb}", json.dumps(arguments).encode(), head)
                    with urllib.request.urlopen(request, timeout=30) as answer:
                        return json.load(answer)

                assert len(post("worklist", date="20261121", modality="DX")["items"]) == 1
                exam = post("register", step_ids=["SPS1"])["exam"]
                post("start", exam=exam)
                post("expose", exam=exam, count=2)
                assert post("end", exam=exam)["state"] == "sent"
                assert post("commit", exam=exam)["exams"][0]["state"] == "committed"
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0
                assert process.stderr is not None
                assert process.stderr.read() == ""
            finally:
                process.kill()
    assert hospital.kinds() == ["N-CREATE", "N-SET", "C-STORE", "C-STORE", "N-ACTION"]
    assert hospital.report_status == [0]
