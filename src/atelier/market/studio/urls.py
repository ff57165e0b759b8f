from django.urls import path

from . import pages, training_pages, version_pages

app_name = "studio"
urlpatterns = [
    path("studio/", pages.listing, name="list"),
    path("studio/new/", pages.create, name="create"),
    path("studio/cover/", pages.cover_preview, name="cover"),
    path("studio/<int:pk>/", pages.model, name="model"),
    path("studio/<int:pk>/edit/", pages.edit, name="edit"),
    path("studio/<int:pk>/train/", training_pages.train, name="train"),
    *[
        path(f"studio/<int:pk>/{verb}/", pages.act, {"verb": verb}, name=verb.replace("-", "_"))
        for verb in ("publish", "pause", "retire", "bring-back")
    ],
    path("studio/runs/<int:pk>/", training_pages.run, name="run"),
    path("studio/runs/<int:pk>/cancel/", training_pages.cancel, name="cancel"),
    path("studio/runs/<int:pk>/retry/", training_pages.retry, name="retry"),
    path("studio/versions/<int:pk>/", version_pages.proof, name="version"),
    path("studio/versions/<int:pk>/export/", version_pages.export, name="export"),
    path("studio/sheets/<int:pk>/", version_pages.sheet, name="sheet"),
    path("studio/parts/<int:pk>/", version_pages.part_picture, name="part_picture"),
    *[
        path(f"studio/parts/<int:pk>/{verb}/", version_pages.part, {"verb": verb}, name=f"{verb}_part")
        for verb in ("veto", "allow")
    ],
    path("studio/parts/<int:pk>/tag/", version_pages.tag, name="tag_part"),
    path("studio/parts/<int:pk>/untag/", version_pages.untag, name="untag_part"),
    *[
        path(f"studio/versions/<int:pk>/{verb}/", version_pages.act, {"verb": verb}, name=f"{verb}_version")
        for verb in ("choose", "resume", "erase")
    ],
]
