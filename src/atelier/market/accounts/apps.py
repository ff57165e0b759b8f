from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "atelier.market.accounts"
    label = "accounts"
