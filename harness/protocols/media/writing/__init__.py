"""Writing media: a file-set with its DICOMDIR, README.TXT and web content, as a folder, a ZIP file or an ISO image.

Pure of actors and networks, so that whatever burns discs can use it: collect objects in a :class:`FileSet`, turn it
into a :class:`Layout`, :func:`write` that, and :func:`verify` what came out. All text and identities are arguments.
"""

from __future__ import annotations

from harness.protocols.media.writing.fileset import PROFILES, FileSet, Layout, MediumPlan, readme
from harness.protocols.media.writing.writers import check_target, verify, write

__all__ = ["PROFILES", "FileSet", "Layout", "MediumPlan", "check_target", "readme", "verify", "write"]
