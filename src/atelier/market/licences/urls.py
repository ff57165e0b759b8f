from django.urls import path

from . import pages

app_name = "licences"
urlpatterns = [
    path("licences/", pages.licences, name="list"),
    path("licences/works/", pages.works, name="works"),
    path("licences/<uuid:pk>/", pages.licence, name="licence"),
    path("licences/<uuid:pk>/again/", pages.again, name="again"),
    path("licences/<uuid:pk>/files/<str:format_name>/", pages.download, name="download"),
]
