"""Letters to people. Handlers of events, so that a mail server that is down delays a letter and not a decision."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils.translation import gettext as _

from .models import VettingApplication


def tell_vetting_decided(application_id: int) -> None:
    """Tell a creator what an operator decided, and what they can do now."""
    application = VettingApplication.objects.select_related("creator__user").get(pk=application_id)
    address = settings.SITE_URL + reverse("accounts:vetting")
    if application.state == VettingApplication.State.APPROVED:
        subject = _("You may publish on Atelier")
        body = _("An operator approved your application. Your models can now be published.") + f"\n\n{address}\n"
    else:
        subject = _("Your application was declined")
        body = f"{application.reason}\n\n" + _("You can apply again here:") + f" {address}\n"
    send_mail(subject, body, None, [application.creator.user.email])
