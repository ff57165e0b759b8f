"""Everything that changes the studio, one verb each. Permission, change, audit entry and event share a transaction.

Locks are taken in one order everywhere: creation model, then run, version or works.
"""

from .models import create_model, edit_model
from .publishing import bring_back_model, choose_version, pause_model, publish_model, retire_model
from .running import claim_run, close_cancelled, fail_run, finish_run, note_progress
from .runs import cancel_run, retry_run, start_training
from .tags import tag_part
from .tastes import keep_taste
from .versions import erase_version, forget_adapter, pause_versions_trained_on, resume_version
from .vetoes import allow_part, veto_part

__all__ = [
    "allow_part",
    "bring_back_model",
    "cancel_run",
    "choose_version",
    "claim_run",
    "close_cancelled",
    "create_model",
    "edit_model",
    "erase_version",
    "fail_run",
    "finish_run",
    "forget_adapter",
    "keep_taste",
    "note_progress",
    "pause_model",
    "pause_versions_trained_on",
    "publish_model",
    "resume_version",
    "retire_model",
    "retry_run",
    "start_training",
    "tag_part",
    "veto_part",
]
