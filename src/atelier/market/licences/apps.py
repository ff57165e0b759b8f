from django.apps import AppConfig


class LicencesConfig(AppConfig):
    name = "atelier.market.licences"
    label = "licences"
