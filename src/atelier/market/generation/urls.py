from django.urls import path

from . import pages

app_name = "generation"
urlpatterns = [
    path("models/<int:pk>/brief/", pages.brief, name="brief"),
    path("studio/versions/<int:pk>/playground/", pages.playground, name="playground"),
    path("generations/", pages.listing, name="list"),
    path("generations/<uuid:pk>/", pages.detail, name="detail"),
    path("generations/<uuid:pk>/vary/", pages.vary, name="vary"),
    path("generations/<uuid:pk>/repeat/", pages.repeat, name="repeat"),
    path("generations/<uuid:pk>/try-again/", pages.try_again, name="try_again"),
    path("generations/<uuid:pk>/cancel/", pages.cancel, name="cancel"),
    path("generations/outputs/<uuid:pk>/", pages.output, name="output"),
    path("generations/outputs/<uuid:pk>/another/<str:way>/", pages.another, name="another"),
    path("generations/outputs/<uuid:pk>/another/<str:way>/follow/", pages.follow, name="follow"),
    path("generations/outputs/<uuid:pk>/picture/", pages.picture, name="picture"),
    path("generations/outputs/<uuid:pk>/showcase/", pages.showcase, name="showcase"),
]
