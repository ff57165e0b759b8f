from django.apps import AppConfig


class ProvenanceConfig(AppConfig):
    name = "atelier.market.provenance"
    label = "provenance"
