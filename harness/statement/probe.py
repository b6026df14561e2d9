"""Ask a product what it agrees to, without sending it anything to keep: associations only, few, and one at a time.

Every association is negotiated and released at once. What is asked depends on nothing but the arguments, so that two
probes of an unchanged product see the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.core.errors import EnvironmentFailure
from harness.core.transcript import Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.errors import AssociationRejected, PeerError, PeerUnreachable
from harness.protocols.dicom.node import Address, Node, Proposal, Timeouts
from harness.protocols.dicom.tls import TlsSettings

#: services beside storage that are asked for
SERVICES: Final[tuple[str, ...]] = (
    uids.VERIFICATION,
    uids.STORAGE_COMMITMENT,
    uids.MODALITY_WORKLIST,
    uids.MPPS,
    uids.MPPS_RETRIEVE,
    uids.MPPS_NOTIFICATION,
    uids.INSTANCE_AVAILABILITY,
    uids.PATIENT_ROOT_FIND,
    uids.PATIENT_ROOT_MOVE,
    uids.PATIENT_ROOT_GET,
    uids.STUDY_ROOT_FIND,
    uids.STUDY_ROOT_MOVE,
    uids.STUDY_ROOT_GET,
    uids.BASIC_GRAYSCALE_PRINT,
    uids.BASIC_COLOR_PRINT,
    uids.PRESENTATION_LUT,
    uids.BASIC_ANNOTATION_BOX,
    uids.PRINT_JOB,
    uids.UNIFIED_PROCEDURE_STEP_PUSH,
)
STRANGER: Final = "IHE_STRANGER"
NOBODY: Final = "IHE_NOBODY"
#: presentation contexts in one association; the standard allows 128
_CONTEXTS: Final = 120


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a probe: associations, seconds in all, seconds of pause between two associations."""

    associations: int = 80
    seconds: float = 180.0
    pause: float = 0.05


@dataclass(slots=True)
class Probe:
    """What came of it: the transcript to read, and what was left out because a bound was reached."""

    transcript: Transcript
    associations: int = 0
    accepted: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    #: why the product could not be reached any more in the midst of it; what was left out is left out for that
    gone: str = ""


def probe(
    peer: Address,
    *,
    calling: str = "IHE_OBSERVER",
    limits: Limits | None = None,
    sop_classes: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _text: None,
    tls: TlsSettings | None = None,
) -> Probe:
    """Sweep SOP classes, transfer syntaxes, roles and AE titles. Raises EnvironmentFailure if nothing answers."""
    result = Probe(Transcript())
    timeouts = Timeouts(connect=5.0, associate=10.0, dimse=10.0, release=3.0, idle=30.0)
    node = Node(calling, result.transcript, actor="Observer", timeouts=timeouts, tls=tls, verification=False)
    _Sweep(node, peer, result, limits or Limits(), progress, tls).run(tuple(sop_classes) or (*SERVICES, *uids.STORAGE))
    return result


class _Sweep:
    def __init__(
        self,
        node: Node,
        peer: Address,
        result: Probe,
        limits: Limits,
        progress: Callable[[str], None],
        tls: TlsSettings | None,
    ) -> None:
        self.tls = tls
        self.node, self.peer, self.result, self.limits, self.progress = node, peer, result, limits, progress
        self.end = time.monotonic() + limits.seconds
        self.pause = threading.Event()

    def run(self, sop_classes: tuple[str, ...]) -> None:
        self.progress("C-ECHO")
        self._echo()
        self.progress(f"{len(sop_classes)} SOP classes")
        classes = self._accepted_classes(sop_classes)
        self.progress(f"transfer syntaxes of {len(classes)} SOP classes")
        self._syntaxes(classes)
        self.progress("roles")
        self._roles(classes)
        self.progress("AE titles")
        self._titles()
        self.result.accepted = classes

    def _echo(self) -> None:
        """One exchange that keeps nothing. Raises EnvironmentFailure when the product cannot be observed at all."""
        try:
            association = self.node.connect(self.peer, [Proposal(uids.VERIFICATION)])
        except AssociationRejected as error:
            raise EnvironmentFailure(
                f"{error}; to be observed, the product must know this AE: title {self.node.ae_title} "
                "(another one: --calling)"
            ) from error
        self.result.associations += 1
        try:
            association.echo()
        except PeerError:
            pass  # its answer, or that none came, is in the transcript
        finally:
            association.release()

    def _accepted_classes(self, sop_classes: tuple[str, ...]) -> list[str]:
        found = {}
        for part in _parts([Proposal(uid, uids.UNCOMPRESSED) for uid in sop_classes]):
            found.update(dict.fromkeys(self._negotiate(part, "SOP classes")))
        return [uid for uid in sop_classes if uid in found]

    def _syntaxes(self, classes: Sequence[str]) -> None:
        """Every transfer syntax in a context of its own: an acceptor picks one of several and hides the others."""
        proposals = []
        for uid in classes:
            storage = uid in uids.STORAGE
            wanted = uids.ALL_TRANSFER_SYNTAXES if storage else (*uids.UNCOMPRESSED, uids.EXPLICIT_VR_BE)
            proposals += [Proposal(uid, (syntax,)) for syntax in wanted]
        for part in _parts(proposals):
            self._negotiate(part, "transfer syntaxes")

    def _roles(self, classes: Sequence[str]) -> None:
        """Whether the product would be the user as well: for C-GET, and for reports of storage commitment."""
        for part in _parts([Proposal(uid, uids.UNCOMPRESSED, True, True) for uid in classes]):
            self._negotiate(part, "roles")

    def _titles(self) -> None:
        verification = [Proposal(uids.VERIFICATION)]
        self._negotiate(verification, "called AE title", Address(NOBODY, self.peer.host, self.peer.port))
        stranger = Node(STRANGER, self.result.transcript, actor="Observer", tls=self.tls, verification=False)
        self._negotiate(verification, "calling AE title", node=stranger)

    def _negotiate(
        self, proposals: Sequence[Proposal], what: str, peer: Address | None = None, node: Node | None = None
    ) -> list[str]:
        """Open, look, release. What the product refuses is an answer too; only the bounds stop the sweep."""
        bound = self.result.associations >= self.limits.associations or time.monotonic() > self.end
        if bound or self.result.gone:
            if what not in self.result.left_out:
                self.result.left_out.append(what)
            return []
        self.pause.wait(self.limits.pause)
        self.result.associations += 1
        try:
            association = (node or self.node).connect(peer or self.peer, proposals)
        except PeerUnreachable as error:
            # it answered before: what was seen until now is worth keeping
            self.result.gone = str(error)
            self.result.left_out.append(what)
            return []
        except PeerError:
            return []
        accepted = [context.abstract_syntax for context in association.accepted]
        try:
            association.release()
        except PeerError:
            association.abort()
        return accepted


def _parts(proposals: Sequence[Proposal]) -> Iterator[Sequence[Proposal]]:
    for start in range(0, len(proposals), _CONTEXTS):
        yield proposals[start : start + _CONTEXTS]
