"""The ratios as an SVG: one bar for each comparison on a logarithmic axis, with a tick where it should be."""

from __future__ import annotations

import math
from html import escape
from typing import Any

_WIDTH, _LEFT, _ROW = 960, 430, 34
_LOWEST, _HIGHEST = 0.1, 30.0


def _x(ratio: float) -> float:
    ratio = min(max(ratio, _LOWEST), _HIGHEST)
    return _LEFT + (_WIDTH - _LEFT - 80) * math.log(ratio / _LOWEST) / math.log(_HIGHEST / _LOWEST)


def picture(results: list[dict[str, Any]]) -> str:
    """The SVG text."""
    bars = [(result, peer, entry) for result in results for peer, entry in result["ratios"].items()]
    height = _ROW * len(bars) + 90
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="13" role="img">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<text x="16" y="24" font-size="16" fill="#1b1f24">Throughput of the wire engine, ours over theirs</text>',
    ]
    for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20):
        x = _x(tick)
        colour = "#57606a" if tick == 1 else "#d0d7de"
        parts.append(f'<line x1="{x:.1f}" y1="40" x2="{x:.1f}" y2="{height - 34}" stroke="{colour}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 16}" text-anchor="middle" fill="#57606a">{tick:g}</text>')
    for number, (result, peer, entry) in enumerate(bars):
        y = 48 + number * _ROW
        begin, end = sorted((_x(1.0), _x(entry["ratio"])))
        colour = "#1a7f5a" if entry["reached"] else "#b35900"
        wanted = _x(entry["wanted"])
        parts += [
            f'<text x="16" y="{y + 9}" fill="#1b1f24">{escape(_short(result["work"]))}</text>',
            f'<text x="16" y="{y + 23}" font-size="11" fill="#57606a">against {escape(peer)}</text>',
            f'<rect x="{begin:.1f}" y="{y}" width="{max(end - begin, 1):.1f}" height="18" fill="{colour}"/>',
            f'<line x1="{wanted:.1f}" y1="{y - 4}" x2="{wanted:.1f}" y2="{y + 22}" stroke="#1b1f24" stroke-width="2"/>',
            f'<text x="{_WIDTH - 70}" y="{y + 14}" fill="#1b1f24">{entry["ratio"]:.2f}</text>',
        ]
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _short(text: str) -> str:
    return text if len(text) <= 58 else text[:57] + "…"
