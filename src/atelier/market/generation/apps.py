from django.apps import AppConfig


class GenerationConfig(AppConfig):
    name = "atelier.market.generation"
    label = "generation"
