"""The words of the ledger and their numbers: states by rank, reasons, lanes. Numbers are stored and never change meaning."""

from __future__ import annotations

from django.db import models


class MessageState(models.IntegerChoices):
    """What became of a message, by rank; a state never goes to a lower one. FAILED and SKIPPED are final."""

    SENDING = 10, "sending"
    IN_DOUBT = 20, "in doubt"
    SENT = 30, "sent"
    DELIVERED = 40, "delivered"
    BOUNCED = 50, "bounced"
    COMPLAINED = 60, "complained"
    FAILED = 70, "failed"
    SKIPPED = 80, "skipped"


class AttemptState(models.IntegerChoices):
    """What became of one vendor request. REFUSED: surely not accepted, its messages may be attempted again."""

    POSTING = 10, "posting"
    IN_DOUBT = 20, "in doubt"
    SENT = 30, "sent"
    REFUSED = 70, "refused"
    FAILED = 75, "failed"


class Reason(models.IntegerChoices):
    """Why a message was skipped (1–19), or failed (40–49)."""

    NONE = 0, ""
    SUPPRESSED = 1, "suppressed"
    NO_CONSENT = 2, "no_consent"
    UNREACHABLE = 3, "unreachable"
    CAPPED = 4, "capped"
    QUIET_HOURS = 5, "quiet_hours"
    HOLDOUT = 6, "holdout"
    OUTRANKED = 7, "outranked"
    DUPLICATE = 8, "duplicate"
    NOT_MATCHING = 9, "not_matching"
    EXPIRED = 11, "expired"
    INVALID = 12, "invalid"
    CANCELLED = 13, "cancelled"
    RECALLED = 14, "recalled"
    SHADOW = 15, "shadow"
    REACHED = 16, "reached"  # by an earlier dispatch of the same occurrence
    NOT_ALLOWED = 17, "not_allowed"  # outside production and not on the allow-list
    NO_ROUTE = 18, "no_route"  # no released route serves the recipient's country
    MERGED = 19, "merged"  # one person with somebody else of the same dispatch, who gets it
    POISON = 40, "poison"  # rendering it killed the worker, three times
    REJECTED = 41, "rejected"  # the vendor refused this message for good
    BAD_ADDRESS = 42, "bad_address"  # the vendor says the address will never work
    GIVEN_UP = 43, "given_up"  # a person decided that it was not sent and shall not be


class Lane(models.IntegerChoices):
    """Who goes first: a worker takes transactional work before any other."""

    TRANSACTIONAL = 0, "transactional"
    PROMOTIONAL = 10, "promotional"


class DispatchState(models.TextChoices):
    """RUNNING sends; PAUSED can be resumed; STOPPED and DONE can't."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"


class WorkState(models.IntegerChoices):
    """Of a batch or a decision. CLOSED: its wave is not open yet. A leased one is READY with a due time in the future."""

    CLOSED = 0, "closed"
    READY = 10, "ready"
    DONE = 20, "done"
    CANCELLED = 30, "cancelled"


def reason_of(word: str) -> Reason:
    """The reason with this word. Raises KeyError for a word outside the vocabulary."""
    return _BY_WORD[word]


_BY_WORD = {reason.label: reason for reason in Reason}
