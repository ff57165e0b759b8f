from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "atelier.market.core"
    label = "core"
