from django.urls import path

from . import pages

app_name = "accounts"
urlpatterns = [
    path("me/", pages.me, name="me"),
    path("me/creator/", pages.creator, name="creator"),
    path("me/vetting/", pages.vetting, name="vetting"),
    path("me/vetting/<int:pk>/withdraw/", pages.withdraw, name="withdraw"),
    path("me/tokens/", pages.make_token, name="make-token"),
    path("me/tokens/<int:pk>/revoke/", pages.revoke_token, name="revoke-token"),
    path("operator/vetting/", pages.vetting_queue, name="vetting-queue"),
    path("operator/vetting/<int:pk>/", pages.decide, name="decide"),
    path("demo/sign-in/<slug:who>/", pages.demo_sign_in, name="demo-sign-in"),
]
