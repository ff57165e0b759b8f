from django.urls import path

from . import pages

app_name = "discovery"
urlpatterns = [
    path("", pages.front, name="front"),
    path("search/", pages.search_page, name="search"),
    path("categories/<slug:slug>/", pages.category, name="category"),
    path("@<slug:handle>/", pages.creator, name="creator"),
    path("@<slug:handle>/<slug:slug>/", pages.model, name="model"),
]
