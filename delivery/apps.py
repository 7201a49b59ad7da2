from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "delivery"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the room's document kinds known."""
        from delivery.documents import SENDING_POLICY, VENDOR_ROUTE
        from governance.door import register

        register(VENDOR_ROUTE)
        register(SENDING_POLICY)
