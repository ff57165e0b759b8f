"""Everything that changes works, one verb each. Permission, change, audit entry and event share a transaction."""

from .consents import give_consent, revoke_consent
from .editing import edit_work, remove_works, restore_works, tag_works
from .resemblances import decide_resemblance, keep_both
from .shares import give_share, take_back_share
from .uploading import Wishes, receive_uploads, refuse_upload, take_pieces

__all__ = [
    "Wishes",
    "decide_resemblance",
    "edit_work",
    "give_consent",
    "give_share",
    "keep_both",
    "receive_uploads",
    "refuse_upload",
    "remove_works",
    "restore_works",
    "revoke_consent",
    "tag_works",
    "take_back_share",
    "take_pieces",
]
