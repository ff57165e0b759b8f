from django.apps import AppConfig


class WorksConfig(AppConfig):
    name = "atelier.market.works"
    label = "works"
