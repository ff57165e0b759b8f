"""Bases of the Hugging Face hub: downloaded once into the cache, and the same from then on."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

from atelier.workshop.contract import EngineUnavailable

_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+(@[\w./-]+)?")


def is_name(text: str) -> bool:
    """Whether a text is “organisation/name” or “organisation/name@revision”."""
    return _NAME.fullmatch(text) is not None


@lru_cache(maxsize=4)
def fetched(name: str, cache: Path, files: tuple[str, ...], setting: str) -> tuple[Path, str]:
    """The folder of a base of the hub, and its commit there, by which it can be had again.

    `files` are the patterns of what is downloaded of it, `setting` is the variable that named it. A name without a
    revision means what was newest when it was first fetched here, so that adapters go on fitting it; later changes at
    the hub change nothing. The variables of `huggingface_hub` hold (HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE).
    Errors: EngineUnavailable when the hub has it not, denies it, or cannot be reached.
    """
    return here(name, cache, files) or download(name, cache, files, setting)


def here(name: str, cache: Path, files: tuple[str, ...]) -> tuple[Path, str] | None:
    """The same for a base that was fetched before, perhaps not to its end; None for another. Asks no network."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = _snapshot(name, cache, files, from_here=True)
    except LocalEntryNotFoundError:
        return None
    return folder, folder.name


def _snapshot(name: str, cache: Path, files: tuple[str, ...], *, from_here: bool) -> Path:
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    return Path(
        snapshot_download(
            repository,
            revision=revision or None,
            cache_dir=cache,
            allow_patterns=list(files),
            endpoint=os.environ.get("HF_ENDPOINT"),
            local_files_only=from_here,
        )
    )


def download(name: str, cache: Path, files: tuple[str, ...], setting: str) -> tuple[Path, str]:
    """As `fetched`, and goes on where an earlier download was cut off."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        folder = _snapshot(name, cache, files, from_here=False)
    except GatedRepoError as error:
        raise _missing(name, "asks for permission", "Accept its terms there, and set HF_TOKEN to a token.") from error
    except RevisionNotFoundError as error:
        raise _missing(name, "has no such revision", "Name a branch, tag or commit that it has.") from error
    except RepositoryNotFoundError as error:
        raise _missing(name, "is not there", "Check the name; set HF_TOKEN if it is private.") from error
    except Exception as error:  # several libraries beneath raise their own when a network fails
        raise _missing(
            name,
            f"cannot be fetched: {str(error).partition(chr(10))[0][:200]}",
            f"Connect this machine to the network and try again, or set {setting} to a folder with its files.",
        ) from error
    return folder, folder.name


def _missing(name: str, what: str, remedy: str) -> EngineUnavailable:
    return EngineUnavailable(f"The base model “{name}” of the Hugging Face hub {what.rstrip('.')}.", remedy=remedy)
