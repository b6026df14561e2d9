"""Secure DICOM Files: DICOM files in a cryptographic envelope (PS3.10 7.4, PS3.15 D.1); needs the extra ``privacy``."""

from __future__ import annotations

from harness.protocols.media.secure.envelope import Envelope, SecureProblem, is_enveloped
from harness.protocols.media.secure.medium import SecureMedium
from harness.protocols.media.secure.opening import Keys, Opened, open_file
from harness.protocols.media.secure.sealing import Protection

__all__ = ["Envelope", "Keys", "Opened", "Protection", "SecureMedium", "SecureProblem", "is_enveloped", "open_file"]
