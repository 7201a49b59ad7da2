"""SMTP: a few sessions per account, each handing over one mail after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from delivery.adapters.base import VendorRequest
from delivery.permits import Permit, withheld
from delivery.transports.answers import Answer, Impossible, Unreached, impossible, unreached
from delivery.transports.origins import CONNECT_SECONDS, Origin, Way, origin_of, tls_context
from delivery.transports.pool import Pool
from delivery.transports.smtp_session import Refused, Session, Terms

log = structlog.get_logger(__name__)
SESSIONS = 8  # where a request says nothing


class SmtpTransport:
    """One account's sessions. A request's body is a mail; its headers are the envelope (`from`, `to`) and the session's terms
    (`tls`, `username`, `password`, `connections`). Its answer is the reply to the final dot, or what refused it before."""

    def __init__(self, concurrency: int, way: Way) -> None:
        self._concurrency, self._way = concurrency, way
        self._pools: dict[tuple[Origin, Terms], Pool[Session]] = {}

    async def window(self, requests: Sequence[VendorRequest], until: float, permit: Permit) -> list[Answer]:
        """See Transport. The sessions share the window's mails."""
        answers: list[Answer | None] = [None] * len(requests)

        def answer(place: int, found: Answer) -> None:
            answers[place] = found if answers[place] is None else answers[place]

        try:
            origin = origin_of(requests[0].url)
        except Impossible as error:
            return [impossible(error)] * len(requests)
        terms = requests[0].headers
        most = min(self._concurrency, int(terms.get("connections", SESSIONS)))
        pool = self._pool(origin, Terms(terms.get("tls", "starttls"), terms.get("username", ""), terms.get("password", "")), most)
        jobs = deque(enumerate(requests))
        why = await asyncio.gather(*(self._work(pool, jobs, answer, until, permit) for _ in range(min(most, len(requests)))))
        left = next((each for each in why if each is not None), unreached("every session was busy"))
        return [found if found is not None else left for found in answers]

    def close(self) -> None:
        """See Transport."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    async def _work(
        self,
        pool: Pool[Session],
        jobs: deque[tuple[int, VendorRequest]],
        answer: Callable[[int, Answer], None],
        until: float,
        permit: Permit,
    ) -> Answer | None:
        """One session's share; why there was none, for what is left when all sessions have ended."""
        try:
            session = await pool.take(until)
        except Refused as refused:
            return refused.answer
        except Impossible as error:
            return impossible(error)
        except Unreached as error:
            return unreached(error)
        except Exception as error:  # a fault of ours, before anything was written
            log.exception("vendor.connect_failed")
            return unreached(error)
        try:
            async with asyncio.timeout_at(until):
                await session.hand_over(jobs, answer, permit)
        except TimeoutError:
            pool.drop(session)
            return unreached("the time was up")
        except BaseException:
            pool.drop(session)
            raise
        pool.give(session)
        return unreached("the relay closed the session") if permit.holds() else withheld()

    def _pool(self, origin: Origin, terms: Terms, most: int) -> Pool[Session]:
        key = (origin, terms)
        if key not in self._pools:

            async def connect(until: float) -> Session:
                made: Session = await self._way.connect(origin, Session, until)
                try:
                    async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + CONNECT_SECONDS)):
                        await made.open(terms, lambda: tls_context(self._way.authorities, ()), origin.host)
                except TimeoutError as error:
                    made.close()
                    raise Unreached("no greeting in time") from error
                except BaseException:
                    made.close()
                    raise
                return made

            self._pools[key] = Pool(most, connect)
        return self._pools[key]
