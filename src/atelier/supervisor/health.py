"""Questions asked of the outside: is the port free, does the site answer, does the given database answer."""

from __future__ import annotations

import errno
import http.client
import socket
from urllib.parse import urlsplit

import psycopg

from .errors import SupervisorError

_HOPELESS = ("authentication failed", "does not exist", "no password supplied", "invalid")


def require_free_port(host: str, port: int) -> None:
    """Errors: SupervisorError when nobody can listen there, naming the port and the way out."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise _no_address(host) from error
    with socket.socket(family) as probe:
        # As the web server does: connections of the last run that linger are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except PermissionError:
            raise SupervisorError(
                f"Port {port} is reserved for the system.", remedy="Choose one above 1023 with --port."
            ) from None
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise _no_address(host) from None
            raise SupervisorError(
                f"Port {port} of {host} cannot be used: {error.strerror}.",
                remedy=f"Stop what listens there, or choose another port: --port {port + 1 if port < 65535 else 8000}",
            ) from None


def _no_address(host: str) -> SupervisorError:
    return SupervisorError(f"{host} is no address of this machine.", remedy="Correct --host.")


def site_answers(host: str, port: int, path: str, name: str = "localhost") -> bool:
    """Whether the site answers 200 at `path` within two seconds when it is called `name`."""
    connection = http.client.HTTPConnection(reachable(host), port, timeout=2)
    try:
        connection.request("GET", path, headers={"Host": f"{name}:{port}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def reachable(host: str) -> str:
    """The address under which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - no bind happens here


def database_silence(url: str) -> str | None:
    """None when the database answers, else why not, in its own words.

    Errors: SupervisorError when waiting cannot help (a wrong password, no such database).
    """
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.ProgrammingError:
        # Not in its own words: they may quote the password.
        raise _unreadable_address() from None
    except psycopg.OperationalError as error:
        words = str(error).strip().splitlines()[-1]
        if any(sign in words for sign in _HOPELESS):
            raise SupervisorError(f"The database refused: {words}.", remedy="Correct DATABASE_URL.") from None
        return words
    return None


def without_password(url: str) -> str:
    """Host, port and name of a database address, fit to be shown. Errors: SupervisorError when it is no address."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("postgres", "postgresql"):
            raise _unreadable_address()
        return f"{parts.hostname or 'local'}:{parts.port or 5432}{parts.path}"
    except ValueError:
        raise _unreadable_address() from None


def _unreadable_address() -> SupervisorError:
    return SupervisorError(
        "DATABASE_URL is no address of a database.",
        remedy="Write postgres://user:password@host:5432/name; in a password, %40 for @, %2F for / and %23 for #.",
    )
