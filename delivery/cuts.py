"""The work of a launch: its people cut into slices, a wave each, and these into the batches that workers take."""

from __future__ import annotations

from hashlib import blake2b

from pyroaring import BitMap64

from delivery import sql
from delivery.models import Dispatch, Slice
from delivery.states import WorkState


def slices(dispatch: Dispatch, waves: list[BitMap64]) -> list[Slice]:
    """One per wave with people, numbered on from each other."""
    made, first_n = list[Slice](), 0
    for people in waves:
        if not people:
            continue
        raw = people.serialize()
        digest = int.from_bytes(blake2b(raw, digest_size=8).digest(), "big", signed=True)
        made.append(
            Slice(
                dispatch=dispatch,
                workspace_id=dispatch.workspace_id,
                wave=len(made),
                first_n=first_n,
                count=len(people),
                ids=raw,
                digest=digest,
            )
        )
        first_n += len(people)
    return Slice.objects.bulk_create(made)


def batches(dispatch: Dispatch, slices: list[Slice], size: int) -> None:
    """The slices in batches, by one statement: a row of values for each would cost more to take apart than to insert."""
    spans = [(piece.pk, piece.wave, start, min(start + size, piece.count)) for piece in slices for start in range(0, piece.count, size)]
    cuts, given = sql.table("v", _CUT, spans)
    due_at = sql.typed("timestamptz")
    sql.run(
        f"""INSERT INTO delivery_batch (workspace_id, dispatch_id, slice_id, wave, start, stop, lane, state, due_at, token, worker, claims)
        SELECT %s, %s, v.slice, v.wave, v.start, v.stop, %s, CASE WHEN v.wave = 0 THEN %s ELSE %s END, {due_at}, 0, '', 0
        FROM {cuts} ORDER BY v.wave, v.start""",
        [
            dispatch.workspace_id,
            dispatch.pk,
            dispatch.lane,
            WorkState.READY,
            WorkState.CLOSED,
            sql.moment(dispatch.due_at),
            *given,
        ],
    )


_CUT = {"slice": "bigint", "wave": "smallint", "start": "bigint", "stop": "bigint"}
