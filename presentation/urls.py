"""Presentation's console addresses. Previews are workflow's: they need rendering."""

from __future__ import annotations

from django.urls import path

from governance.door import Pages, register_pages
from presentation import template_forms
from presentation.services.offers import offered
from presentation.views import fragments, templates, themes, translations

app_name = "presentation"

register_pages(
    "template",
    Pages(
        icon="template",
        intro="A template says something in every language: subject, blocks, sender and whose consent is asked.",
        edit="presentation:template",
        new="presentation:new-template",
        list="presentation:templates",
        preview="workflow:template-preview",
        frame="workflow:template-frame",
        starter=template_forms.STARTER,
        group="",
    ),
)

register_pages(
    "fragment",
    Pages(
        icon="template",
        intro="A fragment is blocks that many templates share, such as a legal footer. A new revision changes what all of them say, "
        "so they are approved again.",
        edit="presentation:fragment",
        new="presentation:new-fragment",
        preview="workflow:fragment-preview",
        frame="workflow:fragment-frame",
        starter=fragments.STARTER,
        shows_users=True,
        group="template",
    ),
)
register_pages(
    "theme",
    Pages(
        icon="sun",
        intro="A theme is colours by day and by night, type, and the name above the letter, for all templates that name it.",
        edit="presentation:theme",
        new="presentation:new-theme",
        preview="workflow:theme-preview",
        frame="workflow:theme-frame",
        starter=themes.STARTER,
        shows_users=True,
        group="template",
    ),
)
register_pages(
    "content_source",
    Pages(
        icon="code",
        intro="What templates read of a service, or of a table that was loaded: asked for everybody of a batch, before anything is sent.",
        starter={"title": "", "type": "http", "http": {"url": ""}, "response": {"": {"path": ""}}},
        offers=offered,
        preview="workflow:source-preview",
    ),
)

urlpatterns = [
    path("new/themes/", themes.new_theme, name="new-theme"),
    path("themes/<slug:key>/", themes.theme, name="theme"),
    path("new/fragments/", fragments.new_fragment, name="new-fragment"),
    path("fragments/<slug:key>/", fragments.fragment, name="fragment"),
    path("templates/", templates.templates, name="templates"),
    path("new/templates/", templates.new_template, name="new-template"),
    path("templates/<slug:key>/translations/", translations.translations, name="translations"),
    path("templates/<slug:key>/translations/<str:tag>/", translations.translation, name="translation"),
    path("templates/<slug:key>/translations/<str:tag>/file/", translations.file, name="translation-file"),
    path("templates/<slug:key>/", templates.template, name="template"),
]
