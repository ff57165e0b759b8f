"""What a person states and permits when they upload, in the words that are kept with each work."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

AUTHORSHIP = _(
    "I made these works, alone or with the co-authors I name, and I have the right to have a creation model learn "
    "from them and to sell what it makes. They are not copied from anyone else."
)

CONSENT = _(
    "I can take this back for any work at any time: it then leaves every future dataset, and versions trained on it "
    "are paused. Without it the works are kept, but nothing learns from them."
)
