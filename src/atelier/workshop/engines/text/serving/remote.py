"""Texts that a server elsewhere writes: it stands where the network and its scheduler stand for `deliver`.

What is asked of the server are completions by adapter; turns, batches and memory are its own matter.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

from atelier.workshop.contract import AdapterInvalid, Busy
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.lora import adapter_sha256, read_config

from .adapters import TextHand
from .completions import Line, NoSuchAdapter, Piece, Server
from .native.decoder import Adapter
from .scheduler import News, Request
from .streamed import Streamed

TEXTS_MAX = 64
"""Texts that are asked for at once, each on a connection and a thread of its own."""

_WARM = 0.7
"""The least temperature of what is written on after a cut: colder, another seed would say the same again."""

_CLOSE_SECONDS = 2.0


def chosen() -> Server | None:
    """The server that `ATELIER_TEXT_REMOTE` names, with the key in `ATELIER_TEXT_REMOTE_KEY`; None when texts are
    written here. Errors: EngineUnavailable when it is no address."""
    address = os.environ.get("ATELIER_TEXT_REMOTE", "")
    return Server(address, os.environ.get("ATELIER_TEXT_REMOTE_KEY", "")) if address else None


class RemoteHand(TextHand):
    """An adapter that a server loads by itself: nothing of it is in memory here."""

    def __init__(self, adapter_sha256: str, folder: Path, server: Server) -> None:
        super().__init__(adapter_sha256, Adapter((), rank=0))
        self.folder = folder
        self._server: Server | None = server

    def close(self) -> None:
        """As `TextHand`; the server is told to let go of an adapter whose files were erased."""
        super().close()
        server, self._server = self._server, None
        if server is not None and not self.folder.is_dir():
            server.forget(self.adapter_sha256)


def load(folder: Path, base: Base, server: Server) -> RemoteHand:
    """Check an adapter's folder; its weights are the server's to check. Errors: AdapterInvalid."""
    read_config(folder, base)
    return RemoteHand(adapter_sha256(folder), folder, server)


class Remote:
    """Has texts written by a server. Its methods are those of `Scheduler`; any thread may call them."""

    draft = Streamed
    candidates_most = 1  # what the server wrote is paid for: none of it is thrown away

    def __init__(self, base: Base, server: Server) -> None:
        self._server = server
        self._tokenizer = base.tokenizer()
        self._end = self._tokenizer.id_to_token(base.config.eos)
        self._lock = threading.Lock()
        self._lines: dict[Line, tuple[Request, threading.Thread]] = {}
        self._closed = False

    def submit(self, request: Request) -> None:
        """Take a request. Errors: Busy when too many texts are being written; AdapterInvalid for another's hand."""
        if request.folder is None:
            raise AdapterInvalid("The adapter was loaded to be served here.", remedy="Load it again.")
        with self._lock:
            if self._closed:
                raise Busy("The engine is stopping.")
            if len(self._lines) + len(request.drafts) > TEXTS_MAX:
                raise Busy("Too many texts are being written just now.", ahead=len(self._lines))
            for sample in range(len(request.drafts)):
                line = Line()
                thread = threading.Thread(
                    target=self._serve, args=(request, sample, line), name="atelier-remote", daemon=True
                )
                self._lines[line] = (request, thread)
                thread.start()

    def ahead(self, request: Request) -> int | None:
        """Unknown: the server does not tell whom else it serves."""
        return None

    def cancel(self, request: Request) -> None:
        """Stop a request: its connections end at once, and with them the writing."""
        request.cancelled.set()
        with self._lock:
            lines = [line for line, (of, _) in self._lines.items() if of is request]
        for line in lines:
            line.cut()

    def close(self) -> None:
        """End everything; what is in the making ends with Cancelled."""
        with self._lock:
            self._closed = True
            under_way = dict(self._lines)
        for line in under_way:
            line.cut()
        for _, thread in under_way.values():
            thread.join(timeout=_CLOSE_SECONDS)

    def _serve(self, request: Request, sample: int, line: Line) -> None:
        try:
            self._write(request, sample, line)
        except Exception as error:  # whatever broke, no caller may wait for ever
            request.inbox.put(error)
            self.cancel(request)
        finally:
            with self._lock:
                del self._lines[line]

    def _write(self, request: Request, sample: int, line: Line) -> None:
        """Write one text to its end, from before every word that must not be on again."""
        draft = request.drafts[sample]
        assert isinstance(draft, Streamed)
        while draft.finish is None:
            cuts = draft.cuts
            with closing(self._pieces(request, self._wanted(request.name, draft), line)) as pieces:
                for piece in pieces:
                    append = draft.grow(piece.text, piece.finish)
                    request.inbox.put(News(sample, append, draft.steps, draft.finish is not None))
                    if draft.cuts > cuts or draft.finish is not None:
                        break

    def _pieces(self, request: Request, wanted: dict[str, Any], line: Line) -> Generator[Piece, None, None]:
        """What the server writes, after loading the adapter there if it does not know it."""
        assert request.folder is not None
        try:
            yield from self._server.write(wanted, line)
        except NoSuchAdapter:
            self._server.load(request.name, request.folder, line)
            try:
                yield from self._server.write(wanted, line)
            except NoSuchAdapter:
                raise AdapterInvalid(
                    "The server that writes does not find this adapter although it loaded it.",
                    remedy="Ask again, or see to the server.",
                ) from None

    def _wanted(self, name: str, draft: Streamed) -> dict[str, Any]:
        """A completion of the prompt and of what is kept of the text, in tokens: the server's own way of putting
        marks around a prompt is not the one that adapters are taught."""
        how, task = draft.task.sampling, draft.task
        kept = self._tokenizer.encode(draft.text, add_special_tokens=False).ids
        return {
            "model": name,
            "prompt": [*task.prompt, *kept],
            "max_tokens": max(1, task.tokens_max - len(kept)),
            "seed": _seed(draft.seed, draft.cuts),
            "temperature": max(how.temperature, _WARM) if draft.cuts else how.temperature,
            "top_p": how.top_p,
            "stop": [self._end],
            # Not OpenAI's, but of all servers that have adapters.
            "top_k": how.top_k,
            "repetition_penalty": how.repetition,
            "stop_token_ids": [task.eos],
        }


def _seed(seed: int, cuts: int) -> int:
    """A seed for each time a text is written on, at most 63 bits."""
    if not cuts:
        return seed & (2**63 - 1)
    return int.from_bytes(hashlib.sha256(f"{seed} {cuts}".encode()).digest()[:8], "big") >> 1
