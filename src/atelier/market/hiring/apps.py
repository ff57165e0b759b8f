from django.apps import AppConfig


class HiringConfig(AppConfig):
    name = "atelier.market.hiring"
    label = "hiring"
