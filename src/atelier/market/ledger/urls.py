from django.urls import path

from . import pages

app_name = "ledger"
urlpatterns = [
    path("operator/ledger/", pages.book, name="book"),
    path("operator/ledger/accounts/", pages.accounts, name="accounts"),
    path("operator/ledger/accounts/<int:pk>/", pages.account, name="account"),
    path("operator/ledger/transactions/<int:pk>/", pages.transaction, name="transaction"),
]
