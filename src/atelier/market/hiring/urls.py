from django.urls import path

from . import pages

app_name = "hiring"
urlpatterns = [
    path("conversations/", pages.listing, name="list"),
    path("conversations/new/", pages.start, name="start"),
    path("conversations/<uuid:pk>/", pages.conversation, name="conversation"),
    path("conversations/<uuid:pk>/picture/", pages.picture, name="picture"),
]
