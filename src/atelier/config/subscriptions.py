"""Who hears which event. The one table; nothing else routes news between rooms."""

from __future__ import annotations

from atelier.market.core.events import Subscription

SUBSCRIPTIONS: tuple[Subscription, ...] = (
    Subscription("accounts.vetting_decided", "atelier.market.accounts.mail.tell_vetting_decided"),
    # A revoked consent pauses the versions that were trained on the work.
    Subscription("works.consent_revoked", "atelier.market.studio.actions.pause_versions_trained_on"),
    # Payment and licence are born together or not at all.
    Subscription("billing.purchase_paid", "atelier.market.licences.actions.issue_for_purchase", inline=True),
    # What is published can be found, under its creator's name too.
    Subscription("accounts.creator_changed", "atelier.market.discovery.actions.index_creator"),
    Subscription("studio.model_changed", "atelier.market.discovery.actions.index_model"),
    Subscription("generation.showcase_changed", "atelier.market.discovery.actions.index_model"),
)
