from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "atelier.market.studio"
    label = "studio"
