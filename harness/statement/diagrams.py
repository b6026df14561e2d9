"""Data flow and sequencing diagrams as SVG, without scripts, fonts or anything that changes between two runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from harness.statement.codec import xml_text
from harness.statement.model import Activity, Role, Statement

_FONT: Final = 'font-family="Noto Sans,DejaVu Sans,sans-serif"'
#: messages in the order in which a workflow sends them
_ORDER: Final = (
    "C-ECHO", "C-FIND", "N-GET", "N-CREATE", "C-STORE", "N-SET", "N-ACTION", "N-EVENT-REPORT", "C-MOVE", "C-GET",
    "N-DELETE",
)  # fmt: skip
_MAX_ROWS: Final = 24


def in_workflow_order(activities: Sequence[Activity]) -> list[Activity]:
    """Activities as a workflow goes through them: worklist first, then steps, images, commitment, retrieval."""

    def rank(activity: Activity) -> tuple[int, int, str, str]:
        position = _ORDER.index(activity.message) if activity.message in _ORDER else len(_ORDER)
        late = activity.service == "Query/Retrieve"
        return (int(late), position, activity.name, activity.role.value)

    return sorted(activities, key=rank)


def steps(statement: Statement) -> list[tuple[bool, str]]:
    """(the product sends, what) of each kind of exchange; transfers of several classes are one."""
    seen: dict[tuple[bool, str], None] = {}
    for activity in in_workflow_order(statement.activities):
        what = activity.service if activity.service in ("Storage", "Verification") else activity.name
        label = f"{activity.message}: {what if activity.service == 'Storage' else activity.name}"
        seen[(activity.initiator, label)] = None
    return list(seen)[:_MAX_ROWS]


def data_flow(statement: Statement) -> str:
    """Activities at the left, the application entity in the middle, its peers behind the DICOM interface."""
    entity = statement.entities[0].title if statement.entities else statement.product.name
    rows: dict[tuple[str, Role], None] = {}
    for sop_class in statement.sop_classes:
        rows[(sop_class.service, sop_class.role)] = None
    lines = list(rows)[:_MAX_ROWS]
    height = max(len(lines), 1) * 62 + 50
    middle = height / 2
    parts = [
        _text(140, 22, "Local activities", bold=True),
        _text(408, 22, "Application entity", bold=True),
        _text(668, 22, "DICOM interface", bold=True),
        f'<rect x="318" y="{middle - 34:g}" width="180" height="68" rx="10" fill="#e6effa" stroke="#1a5a9e"/>',
        _text(408, middle + 5, entity, bold=True),
        f'<line x1="560" y1="34" x2="560" y2="{height - 10:g}" stroke="#5f6b7a" stroke-dasharray="6 5"/>',
    ]
    for number, (service, role) in enumerate(lines):
        y = 62 + number * 62
        peer = Role.SCP if role is Role.SCU else Role.SCU
        start, end = (498, 598) if role is Role.SCU else (598, 498)
        y_start, y_end = (middle, y) if role is Role.SCU else (y, middle)
        parts += [
            f'<ellipse cx="140" cy="{y:g}" rx="126" ry="24" fill="#fff" stroke="#5f6b7a"/>',
            _text(140, y + 4, _activity(service, role)),
            f'<line x1="266" y1="{y:g}" x2="318" y2="{middle:g}" stroke="#5f6b7a"/>',
            f'<line x1="{start}" y1="{y_start:g}" x2="{end}" y2="{y_end:g}" stroke="#1a5a9e" '
            'stroke-width="1.5" marker-end="url(#a)"/>',
            f'<rect x="600" y="{y - 21:g}" width="206" height="42" rx="6" fill="#fff" stroke="#5f6b7a"/>',
            _text(703, y + 4, f"Remote {_short(service)} {peer.value}"),
        ]
    return _svg(820, height, "Application data flow", parts)


def sequence(statement: Statement) -> str:
    """Who sends what to whom, in the order of the workflow."""
    lines = steps(statement)
    height = len(lines) * 34 + 84
    parts = [
        '<rect x="60" y="10" width="220" height="34" rx="6" fill="#e6effa" stroke="#1a5a9e"/>',
        _text(170, 32, _clip(statement.product.name, 26), bold=True),
        '<rect x="540" y="10" width="220" height="34" rx="6" fill="#fff" stroke="#5f6b7a"/>',
        _text(650, 32, "Remote application entities", bold=True),
        f'<line x1="170" y1="44" x2="170" y2="{height - 10:g}" stroke="#5f6b7a" stroke-dasharray="4 4"/>',
        f'<line x1="650" y1="44" x2="650" y2="{height - 10:g}" stroke="#5f6b7a" stroke-dasharray="4 4"/>',
    ]
    for number, (sends, label) in enumerate(lines):
        y = 84 + number * 34
        start, end = (170, 648) if sends else (650, 172)
        parts += [
            f'<line x1="{start}" y1="{y}" x2="{end}" y2="{y}" stroke="#1a5a9e" stroke-width="1.5" '
            'marker-end="url(#a)"/>',
            _text(410, y - 6, _clip(label, 78)),
        ]
    return _svg(820, height, "Sequencing of activities", parts)


def _activity(service: str, role: Role) -> str:
    return {
        ("Storage", Role.SCU): "Send instances",
        ("Storage", Role.SCP): "Receive instances",
        ("Modality Worklist", Role.SCU): "Obtain scheduled work",
        ("Modality Worklist", Role.SCP): "Provide scheduled work",
        ("Modality Performed Procedure Step", Role.SCU): "Report performed work",
        ("Modality Performed Procedure Step", Role.SCP): "Track performed work",
        ("Storage Commitment", Role.SCU): "Ask for safe keeping",
        ("Storage Commitment", Role.SCP): "Promise safe keeping",
        ("Query/Retrieve", Role.SCU): "Search and fetch",
        ("Query/Retrieve", Role.SCP): "Answer searches, deliver",
        ("Print Management", Role.SCU): "Print",
        ("Print Management", Role.SCP): "Expose film",
        ("Verification", Role.SCU): "Test a connection",
        ("Verification", Role.SCP): "Answer a test",
    }.get((service, role), f"{_short(service)} ({role.value})")


def _short(service: str) -> str:
    return {
        "Modality Performed Procedure Step": "MPPS",
        "Modality Worklist": "Worklist",
        "Instance Availability Notification": "Availability",
        "Storage Commitment": "Commitment",
        "Print Management": "Print",
    }.get(service, service)


def _clip(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _text(x: float, y: float, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    shown = escape(xml_text(text))
    return f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-size="13"{weight} fill="#1c2430">{shown}</text>'


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" {_FONT}>'
        f"<title>{escape(title)}</title>"
        '<defs><marker id="a" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="#1a5a9e"/></marker></defs>'
    )
    return head + "".join(parts) + "</svg>"
