from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "delivery"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the room's document kinds known, what rules may ask of its ledger, and how it forgets people."""
        from audience.door import register_event_source, register_following, register_forgetting, register_telling
        from delivery import checks
        from delivery.following import follow, left
        from delivery.forgetting import forget
        from delivery.policy_document import SENDING_POLICY
        from delivery.route_document import VENDOR_ROUTE
        from delivery.sent_events import SENT_EVENTS
        from delivery.telling import tell
        from governance.door import register

        register(VENDOR_ROUTE)
        register(SENDING_POLICY)
        register_forgetting(forget)
        register_following(follow, left)
        register_telling(tell)
        register_event_source(SENT_EVENTS)
        checks.tell()
