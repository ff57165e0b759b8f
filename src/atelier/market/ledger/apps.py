from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "atelier.market.ledger"
    label = "ledger"
