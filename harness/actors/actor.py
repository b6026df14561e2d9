"""What all simulated DICOM actors share: one application entity, a recorder, known peers, and a clean end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, ClassVar, Self

from harness.core.errors import UsageError
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.node import Address, Node, Request, Response


class SimulatedActor:
    """An IHE actor of ours: records what it sends and receives, and judges nothing.

    ``peers`` are the application entities it may call by title: move destinations, requesters of commitment,
    receivers of notifications. Use it as a context manager, or call :meth:`start` and :meth:`stop`.
    """

    slug: ClassVar[str] = ""
    name: ClassVar[str] = ""

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        peers: Mapping[str, Address] | None = None,
    ) -> None:
        self.ae_title = ae_title
        self.recorder = recorder
        self.host = host
        self.peers: dict[str, Address] = dict(peers or {})
        self.node = Node(ae_title, recorder, actor=self.name, host=host, port=port)
        self._serve()

    def _serve(self) -> None:
        """Register what this actor listens for."""

    def _started(self) -> None:
        """Start what runs beside the listener."""

    def _stopping(self) -> None:
        """Stop what runs beside the listener."""

    def start(self) -> int:
        """Listen; returns the port. Raises EnvironmentFailure if it is taken."""
        port = self.node.start()
        self._started()
        return port

    def stop(self) -> None:
        """Stop listening and wait for what is running."""
        self._stopping()
        self.node.stop()

    def reset(self) -> None:
        """Forget what an earlier scenario left behind: scripted answers, schedules, performed steps."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.node.port

    @property
    def address(self) -> Address:
        """Where others reach it."""
        return Address(self.ae_title, self.host, self.port)

    def know(self, peer: Address) -> None:
        """Learn where a peer is; replaces what was known of that AE title."""
        self.peers[peer.ae_title] = peer

    def peer(self, ae_title: str) -> Address:
        """The address of a known peer. Raises UsageError if it is unknown."""
        try:
            return self.peers[ae_title.strip()]
        except KeyError:
            known = ", ".join(sorted(self.peers)) or "none"
            raise UsageError(
                f"{self.ae_title} knows no peer {ae_title!r} (known: {known}); add it to its peers"
            ) from None

    def note(self, kind: str, data: Mapping[str, Any]) -> None:
        """Append a fact to the transcript that is running."""
        transcript = self.recorder.target if isinstance(self.recorder, Recorder) else self.recorder
        transcript.note(kind, data)


def sop_instance(request: Request, *keywords: str) -> str:
    """The SOP Instance UID that a command names, empty if it names none."""
    for keyword in keywords or ("AffectedSOPInstanceUID", "RequestedSOPInstanceUID"):
        value = str(request.command.get(keyword, "") or "").strip("\0 ")
        if value:
            return value
    return ""


def answered(response: Response, afterwards: Callable[[], None]) -> Iterator[Response]:
    """Answer, and do something once the response is on its way: what follows from it must not overtake it."""
    try:
        yield response
    finally:
        afterwards()
