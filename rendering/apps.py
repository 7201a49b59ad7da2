from django.apps import AppConfig


class RenderingConfig(AppConfig):
    name = "rendering"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from presentation.door import add_content_check
        from rendering.checks import check_content

        add_content_check(check_content)
