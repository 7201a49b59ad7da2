"""What delivery forgets with a person: the data of their messages, the files that went with them, and the mails that the outbox kept.

The ledger stays as it is: it holds numbers and keyed hashes, never an address or a value. So do the idempotency keys: a caller who
repeats a request after its person was forgotten is told what came of it, and nothing is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from delivery.models import AttachedFile, Decision, Message, OutboxMail
from delivery.trials import trial_ids

AT_ONCE = 500  # people per statement


def forget(workspace_id: int, numbers: Sequence[int]) -> None:
    """Forget these people, in the caller's transaction. What still waits for them stays waiting, empty: nobody is there to get it.

    Tests that show their data are theirs, too.
    """
    for start in range(0, len(numbers), AT_ONCE):
        some = list(numbers[start : start + AT_ONCE])
        decided = Decision.objects.filter(workspace_id=workspace_id, profile_id__in=some)
        decided.exclude(payload={}).update(payload={})
        AttachedFile.objects.filter(workspace_id=workspace_id, profile_id__in=some).delete()
        sent = Message.objects.filter(workspace_id=workspace_id, profile_id__in=some)
        sent = sent.filter(dispatch_id=OuterRef("dispatch_id"), n=OuterRef("n"))
        OutboxMail.objects.filter(Exists(sent), workspace_id=workspace_id).delete()
    tests = OutboxMail.objects.filter(workspace_id=workspace_id, dispatch_id=None).values_list("pk", "message_id")
    starts = tuple(trial_ids(number) for number in numbers)
    OutboxMail.objects.filter(pk__in=[pk for pk, message_id in tests if message_id.startswith(starts)]).delete()
