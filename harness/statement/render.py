"""Documents as HTML, Markdown, PDF and DOCX; the same statement gives the same HTML and Markdown."""

from __future__ import annotations

import base64
import hashlib
import html
import importlib
import io
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from harness.core.errors import UsageError
from harness.statement.codec import xml_text
from harness.statement.document import Block, Cell, Document, Figure, Paragraph, Section, Table
from harness.statement.model import State

_CLASSES: Final = {
    State.VERIFIED: "ok",
    State.ATTESTED: "said",
    State.DECLARED: "open",
    State.NEGOTIATED: "open",
    State.CONTRADICTED: "bad",
}
_MARKS: Final = {
    State.VERIFIED: "✓",
    State.ATTESTED: "“",
    State.DECLARED: "○",
    State.NEGOTIATED: "◔",
    State.CONTRADICTED: "✕",
}
_STYLE: Final = """
:root{--ink:#1c2430;--soft:#55606f;--line:#d6dde5;--wash:#f3f6f9;--accent:#1a5a9e}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:32px 28px 80px;color:var(--ink);background:#fff;
font:15px/1.5 "Noto Sans","DejaVu Sans","Noto Sans CJK KR",sans-serif;overflow-wrap:anywhere}
h1{font-size:30px;line-height:1.2;margin:0 0 4px}
h2{font-size:21px;margin:44px 0 10px;border-bottom:2px solid var(--line);
padding-bottom:4px}h3{font-size:17px;margin:30px 0 8px}h4,h5,h6{font-size:15px;margin:22px 0 6px}
p{margin:8px 0;max-width:75ch}.sub{font-size:19px;color:var(--soft);margin:0 0 22px}
.num{color:var(--soft);margin-right:10px;font-weight:500}
dl.cover{display:grid;grid-template-columns:max-content 1fr;gap:6px 24px;border:1px solid var(--line);
border-radius:8px;padding:16px 20px;margin:0 0 20px}dl.cover dt{color:var(--soft)}dl.cover dd{margin:0;font-weight:600}
.wide{overflow-x:auto;margin:12px 0 18px}
table{border-collapse:collapse;width:100%;font-size:13.5px;overflow-wrap:break-word}
caption{text-align:left;font-weight:600;padding:0 0 6px}
th{background:var(--wash);text-align:left;font-weight:600}
th,td{border:1px solid var(--line);padding:5px 9px;vertical-align:top}
code{font:12.5px/1.5 "DejaVu Sans Mono",monospace;color:#33404f;overflow-wrap:anywhere}
.m{display:inline-block;min-width:1.4em;font-weight:700}.ok .m{color:#176b4d}.bad .m{color:#b3261e}
.bad{background:#fdecea}.open .m{color:#8a5200}.said .m{color:#5f449b}
figure{margin:14px 0 22px}figure svg{max-width:100%;height:auto;border:1px solid var(--line);border-radius:8px}
figcaption{font-weight:600;margin:4px 0}
nav ol{list-style:none;padding-left:20px;margin:0}nav>ol{padding-left:0}nav a{color:var(--accent);text-decoration:none}
@page{size:A4;margin:18mm 15mm;@bottom-center{content:counter(page);font-size:9pt;color:#55606f}}
@media print{body{max-width:none;padding:0;font-size:10pt}table{font-size:8.5pt}.wide{overflow:visible}
h2{break-before:auto}h2,h3,h4,h5,caption{break-after:avoid}tr,figure{break-inside:avoid}thead{display:table-header-group}}
""".strip()


def html_text(document: Document, report: str = "") -> str:
    """One self-contained page without scripts or network, fit to be printed; findings lead to the page ``report``."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    cover = "".join(f"<dt>{_e(key)}</dt><dd>{_e(value)}</dd>" for key, value in document.cover)
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src 'sha256-{digest}'\">",
        f"<title>{_e(document.title)}: {_e(document.subtitle)}</title><style>{_STYLE}</style></head><body>",
        f'<header><h1>{_e(document.title)}</h1><p class="sub">{_e(document.subtitle)}</p>',
        f'<dl class="cover">{cover}</dl></header><main>\n',
        "".join(_html_block(block, report) for block in document.foreword),
    ]
    for section in document.sections:
        parts += _html_section(section, 2, document, report)
    parts.append("</main></body></html>\n")
    return "".join(parts)


def _e(text: str) -> str:
    return html.escape(xml_text(text))


def _anchor(section: Section) -> str:
    return "s-" + quote(section.number, safe=".").replace(".", "-")


def _html_section(section: Section, level: int, document: Document, report: str) -> Iterator[str]:
    tag = f"h{min(level, 6)}"
    number = f'<span class="num">{_e(section.number)}</span>' if section.number else ""
    yield f'<section id="{_anchor(section)}"><{tag}>{number}{_e(section.title)}</{tag}>\n'
    if section.title == "Table of contents":
        yield f"<nav>{_html_contents(document.sections, 2)}</nav>"
    for block in section.blocks:
        yield _html_block(block, report)
    for inner in section.sections:
        yield from _html_section(inner, level + 1, document, report)
    yield "</section>\n"


def _html_contents(sections: tuple[Section, ...], depth: int) -> str:
    lines = "".join(
        f'<li><a href="#{_anchor(s)}"><span class="num">{_e(s.number)}</span>{_e(s.title)}</a>'
        f"{_html_contents(s.sections, depth - 1) if depth > 0 and s.sections else ''}</li>"
        for s in sections
    )
    return f"<ol>{lines}</ol>"


def _html_block(block: Block, report: str) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{_e(block.text)}</p>\n"
    if isinstance(block, Figure):
        return f"<figure>{block.svg}<figcaption>{_e(block.caption)}</figcaption></figure>\n"
    head = "".join(f'<th scope="col">{_e(heading)}</th>' for heading in block.headings)
    body = "".join(f"<tr>{''.join(_html_cell(c, report) for c in row)}</tr>\n" for row in block.rows)
    return (
        f'<div class="wide"><table><caption>{_e(block.caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>\n"
    )


def _html_cell(cell: Cell, report: str) -> str:
    text = f"<code>{_e(cell.text)}</code>" if cell.code else _e(cell.text)
    if report and cell.anchor:
        text = f'<a href="{_e(report)}#{_e(cell.anchor)}">{text}</a>'
    if cell.state is None:
        return f"<td>{text}</td>"
    mark = f'<span class="m" aria-hidden="true">{_MARKS[cell.state]}</span>'
    return f'<td class="{_CLASSES[cell.state]}">{mark}{text}</td>'


# -- Markdown --------------------------------------------------------------------------------------------------

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#])")


def markdown_text(document: Document) -> str:
    """GitHub Markdown; figures are told in words."""
    lines = [f"# {_m(document.title)}: {_m(document.subtitle)}", ""]
    lines += ["| | |", "| --- | --- |", *(f"| {_m(key)} | {_m(value)} |" for key, value in document.cover), ""]
    for block in document.foreword:
        lines += _markdown_block(block)
    for section in document.sections:
        lines += _markdown_section(section, 2, document)
    return "\n".join(lines).rstrip() + "\n"


def _m(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(xml_text(text).split()))


def _markdown_section(section: Section, level: int, document: Document) -> Iterator[str]:
    yield f"{'#' * min(level, 6)} {(section.number + ' ') if section.number else ''}{_m(section.title)}"
    yield ""
    if section.title == "Table of contents":
        for entry in document.sections:
            yield f"- {entry.number} {_m(entry.title)}"
        yield ""
    for block in section.blocks:
        yield from _markdown_block(block)
    for inner in section.sections:
        yield from _markdown_section(inner, level + 1, document)


def _markdown_block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield from (_m(block.text), "")
    elif isinstance(block, Figure):
        yield from (f"**{_m(block.caption)}:** {_m(block.text)}", "")
    else:
        yield from (f"**{_m(block.caption)}**", "")
        yield "| " + " | ".join(_m(heading) for heading in block.headings) + " |"
        yield "|" + " --- |" * len(block.headings)
        for row in block.rows:
            yield "| " + " | ".join(_markdown_cell(cell) for cell in row) + " |"
        yield ""


def _markdown_cell(cell: Cell) -> str:
    text = f"`{xml_text(cell.text).replace('`', '').replace('|', '/')}`" if cell.code else _m(cell.text)
    return f"{_MARKS[cell.state]} {text}" if cell.state is not None else text


# -- optional formats ------------------------------------------------------------------------------------------


def pdf_bytes(document: Document) -> bytes:
    """PDF through weasyprint. Raises UsageError if that is not installed."""
    weasyprint = _optional("weasyprint", "PDF")
    data = weasyprint.HTML(string=html_text(document), url_fetcher=_no_network).write_pdf()
    return bytes(data)


def _no_network(url: str, *_: Any, **__: Any) -> Any:
    raise ValueError(f"a statement loads nothing: {url}")


def docx_bytes(document: Document) -> bytes:
    """A Word document through python-docx. Raises UsageError if that is not installed."""
    docx = _optional("docx", "DOCX", "python-docx")
    word = docx.Document()
    word.core_properties.title = f"{document.title}: {document.subtitle}"[:250]
    word.core_properties.author = ""
    word.add_heading(document.title, 0)
    word.add_paragraph(xml_text(document.subtitle))
    cover = word.add_table(rows=0, cols=2, style="Table Grid")
    for key, value in document.cover:
        row = cover.add_row().cells
        row[0].text, row[1].text = key, xml_text(value)
    for block in document.foreword:
        _docx_block(word, block)
    for section in document.sections:
        _docx_section(word, section, 1, document)
    stream = io.BytesIO()
    word.save(stream)
    return stream.getvalue()


def _docx_section(word: Any, section: Section, level: int, document: Document) -> None:
    word.add_heading(xml_text(f"{section.number} {section.title}".strip()), min(level, 9))
    if section.title == "Table of contents":
        for entry in document.sections:
            word.add_paragraph(f"{entry.number} {entry.title}")
    for block in section.blocks:
        _docx_block(word, block)
    for inner in section.sections:
        _docx_section(word, inner, level + 1, document)


def _docx_block(word: Any, block: Block) -> None:
    if isinstance(block, Paragraph):
        word.add_paragraph(xml_text(block.text))
    elif isinstance(block, Figure):
        word.add_paragraph(xml_text(f"{block.caption}: {block.text}"))
    else:
        _docx_table(word, block)


def _docx_table(word: Any, block: Table) -> None:
    word.add_paragraph(xml_text(block.caption)).runs[0].bold = True
    # cells through the row, not through the table: python-docx counts all cells again for each of those
    grid = word.add_table(rows=1, cols=len(block.headings), style="Table Grid")
    for target, heading in zip(grid.rows[0].cells, block.headings, strict=True):
        target.text = xml_text(heading)
    for row in block.rows:
        for target, cell in zip(grid.add_row().cells, row, strict=True):
            mark = f"{_MARKS[cell.state]} " if cell.state is not None else ""
            target.text = mark + xml_text(cell.text)


def _optional(module: str, what: str, package: str = "") -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"{what} needs {package or module}, which is not installed ({error}); "
            "pip install 'ihe-harness[statement]', or choose another --format"
        ) from error
