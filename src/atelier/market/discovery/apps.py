from django.apps import AppConfig


class DiscoveryConfig(AppConfig):
    name = "atelier.market.discovery"
    label = "discovery"
