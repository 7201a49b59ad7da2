"""Every console address, mounted at /console/. Rooms' own pages of a kind come before governance's pages of any kind."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from omni.console import gallery, home, palette, session, stylesheet

shell_urls = [
    path("", home.home, name="home"),
    path("sign-in/", session.sign_in, name="sign-in"),
    path("sign-out/", session.sign_out, name="sign-out"),
    path("workspace/", session.workspace, name="workspace"),
    path("theme/", session.theme, name="theme"),
    path("search/", palette.search, name="search"),
    path("components/", gallery.components, name="components"),
    path("live/", home.live, name="live"),
    path("style-<str:version>.css", stylesheet.stylesheet, name="stylesheet"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((shell_urls, "console"))),
    path("", include("workflow.urls")),
    path("", include("presentation.urls")),
    path("", include("audience.urls")),
    path("", include("delivery.urls")),
    path("", include("governance.urls")),
]
