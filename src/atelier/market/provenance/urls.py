from django.urls import path, re_path

from . import pages

app_name = "provenance"
urlpatterns = [
    path("verify/", pages.verify, name="verify"),
    re_path(r"^verify/(?P<sha256>[0-9a-f]{64})/$", pages.record, name="record"),
    path("verify/pieces/<uuid:pk>/", pages.piece, name="piece"),
    path("verify/marks/<uuid:search_id>/", pages.marks, name="marks"),
]
