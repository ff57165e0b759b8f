"""Asks a running site over its public API what it knows of a file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from atelier.workshop.contract import Busy

from .console import BadInput

_ANSWER_SECONDS = 15
_SEARCH_SECONDS = 120
_ASK_AGAIN_SECONDS = 0.5
_CHARACTERS_MOST = 200_000  # a site takes no more, and reads fewer


class Site:
    """A site by its address, such as http://localhost:8000. Errors of all methods: BadInput; Busy."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        if not self.address.startswith(("http://", "https://")):
            raise BadInput("This is no address of a site.", where="--site", remedy="Write http://… or https://….")

    def record(self, sha256: str) -> dict[str, Any] | None:
        """The record of a file, or None when nothing is known under its hash."""
        status, answer = self._ask(f"/api/records/{sha256}")
        if status not in (200, 404):
            raise self._refusal(status, answer)
        return answer if status == 200 else None

    def marks(self, text: str, check: Callable[[], None]) -> dict[str, Any]:
        """What marks a text carries. `check` is called while waiting, and may raise to stop."""
        status, answer = self._ask("/api/records/marks", {"text": text[:_CHARACTERS_MOST]})
        if status != 202:
            raise self._refusal(status, answer)
        end = time.monotonic() + _SEARCH_SECONDS
        while answer["verdict"] == "waiting":
            check()
            if time.monotonic() > end:
                raise Busy("The site has not read the text yet.")
            time.sleep(_ASK_AGAIN_SECONDS)
            status, answer = self._ask(f"/api/records/marks/{answer['id']}")
            if status != 200:
                raise self._refusal(status, answer)
        if answer["verdict"] == "failed":
            raise BadInput(answer["error"], where=self.address, remedy=answer["remedy"])
        kept = ("verdict", "found", "places", "cut")
        return {name: answer[name] for name in kept}

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        request = Request(  # noqa: S310 (the scheme was checked)
            self.address + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Accept": "application/json", "Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
                return answer.status, dict(json.load(answer))
        except HTTPError as error:
            try:
                return error.code, dict(json.load(error))
            except ValueError:
                return error.code, {}
        except (URLError, OSError, ValueError) as error:
            raise BadInput(
                "No site answers there.",
                where=self.address,
                remedy="Start it with bin/up, name another with --site, or give mark keys with --key.",
            ) from error

    def _refusal(self, status: int, answer: dict[str, Any]) -> BadInput | Busy:
        message = str(answer.get("message") or f"The site answered with status {status}.")
        if status == 429:
            return Busy(message)
        return BadInput(message, where=self.address, remedy=str(answer.get("remedy", "")))
