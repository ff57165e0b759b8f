from django.urls import path

from . import operator_pages, pages, upload_pages

app_name = "works"
urlpatterns = [
    path("works/", pages.listing, name="list"),
    path("works/add/", upload_pages.add, name="add"),
    path("works/uploads/<uuid:batch>/", upload_pages.batch, name="batch"),
    path("works/bulk/", pages.bulk, name="bulk"),
    path("works/undo/<str:ids>/", pages.undo, name="undo"),
    path("works/<int:pk>/", pages.work, name="work"),
    path("works/<int:pk>/preview/", pages.preview, name="preview"),
    path("works/<int:pk>/file/", pages.file, name="file"),
    path("works/<int:pk>/shares/", pages.share, name="share"),
    path("works/<int:pk>/shares/<int:share_id>/remove/", pages.unshare, name="unshare"),
    path("works/<int:pk>/keep-both/", pages.keep_both, name="keep_both"),
    path("operator/resemblances/", operator_pages.queue, name="resemblances"),
    path("operator/resemblances/<int:pk>/", operator_pages.resemblance, name="resemblance"),
]
