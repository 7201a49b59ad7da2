"""Presentation's console addresses. Previews are workflow's: they need rendering."""

from __future__ import annotations

from django.urls import path

from governance.door import Pages, register_pages
from presentation import template_forms
from presentation.views import templates

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

urlpatterns = [
    path("templates/", templates.templates, name="templates"),
    path("new/templates/", templates.new_template, name="new-template"),
    path("templates/<slug:key>/", templates.template, name="template"),
]
