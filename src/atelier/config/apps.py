from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "atelier.config"
    label = "config"
