from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "atelier.market.billing"
    label = "billing"
