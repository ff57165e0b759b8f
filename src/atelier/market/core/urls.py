from django.urls import path

from . import pages

app_name = "core"
urlpatterns = [
    path("healthz", pages.healthz, name="healthz"),
    path("live/<str:ticket>", pages.stream, name="live"),
]
