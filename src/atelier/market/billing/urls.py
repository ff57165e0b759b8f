from django.urls import path

from . import earnings, pages

app_name = "billing"
urlpatterns = [
    path("purchases/", pages.purchases, name="purchases"),
    path("purchases/new/", pages.start, name="start"),
    path("purchases/<uuid:pk>/", pages.purchase, name="purchase"),
    path("purchases/<uuid:pk>/pay/", pages.pay, name="pay"),
    path("purchases/<uuid:pk>/confirm/", pages.confirm, name="confirm"),
    path("purchases/<uuid:pk>/cancel/", pages.cancel, name="cancel"),
    path("licences/terms/<slug:tier>/<int:number>/", pages.licence_terms, name="terms"),
    path("earnings/", earnings.earnings, name="earnings"),
    path("earnings/statement.csv", earnings.download, name="statement"),
]
