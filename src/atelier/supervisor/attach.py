"""How a command beside a running site reaches its database: what the data folder knows, as environment variables."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote

from .errors import SupervisorError
from .postgres import DATABASE, ROLE


def environment_of(data: Path) -> dict[str, str]:
    """DATABASE_URL, ATELIER_DATA and ATELIER_SECRET_KEY of the site in a data folder; a key that is set stays.

    Errors: SupervisorError when the folder holds no database of ours, or it was never started.
    """
    home = data / "postgres"
    secrets, port = home / "secrets.json", home / "port"
    if not secrets.exists() or not port.exists():
        raise SupervisorError(
            f"{data} holds no site.", remedy="Name its folder with --data, or start it once with bin/up."
        )
    password = quote(json.loads(secrets.read_text())[ROLE], safe="")
    key = data / "secret_key"
    return {
        "DATABASE_URL": f"postgres://{ROLE}:{password}@127.0.0.1:{port.read_text().strip()}/{DATABASE}",
        "ATELIER_DATA": str(data),
        **(
            {"ATELIER_SECRET_KEY": key.read_text()} if key.exists() and not os.environ.get("ATELIER_SECRET_KEY") else {}
        ),
    }
