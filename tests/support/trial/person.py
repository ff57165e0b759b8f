"""A person without a browser: signs up through the pages, then goes on with an API token."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from html import unescape
from typing import Any

import requests

from .site import Site

PASSWORD = "correct horse battery staple"


class Person:
    """Signs up, confirms the address from the letter, makes a token. `api` then acts for them."""

    def __init__(self, site: Site, name: str, email: str = "") -> None:
        self.site = site
        self.name = name
        self.email = email or f"{re.sub('[^a-z]', '', name.lower())}.{uuid.uuid4().hex[:6]}@example.org"
        self.web = requests.Session()
        self.token = ""

    def post(self, path: str, *, to: str = "", **fields: Any) -> requests.Response:
        """Send a form of the page at `path` as a browser does, to that page's address or to another."""
        page = self.web.get(self.site.url + path, timeout=30)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert found, f"no form at {path}: {page.status_code} {page.text[:400]}"
        return self.web.post(
            self.site.url + (to or path),
            data={**fields, "csrfmiddlewaretoken": found.group(1)},
            headers={"Referer": self.site.url + path},
            timeout=30,
        )

    def sign_up(self) -> Person:
        """A new account with a confirmed address, signed in."""
        self.post("/account/signup/", name=self.name, email=self.email, password1=PASSWORD)
        link = self.site.letter_with(self.email, r"http://[^\s]+(/account/confirm-email/[^\s]+)").group(1)
        self.post(link)
        assert self.web.get(self.site.url + "/me/", timeout=30).url.endswith("/me/")
        return self

    def sign_in(self) -> Person:
        """Sign in with the password."""
        self.post("/account/login/", login=self.email, password=PASSWORD)
        assert self.web.get(self.site.url + "/me/", timeout=30).url.endswith("/me/")
        return self

    def make_token(self) -> Person:
        """An API token from the account page."""
        page = self.post("/me/", to="/me/tokens/", name="a program")
        found = re.search(r"atl_[A-Za-z0-9_-]{20,}", unescape(page.text))
        assert found, page.text[:500]
        self.token = found.group(0)
        return self

    def call(self, method: str, path: str, *, expect: int | tuple[int, ...] = (200, 201, 202), **more: Any) -> Any:
        """Call the API as this person; the parsed JSON of an expected answer."""
        answer = requests.request(
            method,
            f"{self.site.url}/api{path}",
            headers={"Authorization": f"Bearer {self.token}", **more.pop("headers", {})},
            timeout=60,
            **more,
        )
        allowed = (expect,) if isinstance(expect, int) else expect
        assert answer.status_code in allowed, f"{method} {path}: {answer.status_code} {answer.text[:600]}"
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.content

    def patient(self, method: str, path: str, *, seconds: float = 60, **more: Any) -> Any:
        """Like `call`, but tries again while the site is down, as a program on an unsure line would."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.call(method, path, **more)
            except (requests.RequestException, AssertionError) as error:
                down = isinstance(error, requests.RequestException) or re.search(r": 50[0-4] ", str(error))
                if not down or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


def wait_for(check: Callable[[], Any], what: str, seconds: float = 60, every: float = 0.2) -> Any:
    """Wait until `check` gives something true, and give that back."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(every)
