"""Content of a source for many people at once: remembered, asked together where the source can, side by side where not, in time.

Law: as many outcomes as questions, in their order, whatever happens on the way; nothing is raised for a source in trouble, and no
question begins when the time is up or the source is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
import structlog

from governance.door import DoorError, Refused, secret
from presentation.services.answers import NOTHING, Ask, Told, Unanswered, Unaskable, told, untold
from presentation.services.client import Question, Way
from presentation.services.client import ask as ask_service
from presentation.services.documents import Batch, ContentSourceBody, Service
from presentation.services.memory import Answers, Breaker, Flights, Kept
from presentation.services.paths import value_at
from presentation.services.similarity import alike
from presentation.services.tables import rows_of

log = structlog.get_logger(__name__)
AT_ONCE = 8  # questions side by side
OVERHEAD = 500  # bytes that an answer takes besides its texts, about
LEFT_ALONE = "it failed again and again and is left alone for a while"
_answers, _flights = Answers(), Flights()
_breakers: dict[Hashable, Breaker] = {}
Found = dict[Ask, Told | Unanswered]
Job = Callable[[], Found]


@dataclass(frozen=True, slots=True)
class Source:
    """One content source as it is asked. revision: what tells its answers from those of other revisions: a number, or a draft's
    hash."""

    workspace_id: int
    key: str
    revision: Hashable
    body: ContentSourceBody

    @property
    def identity(self) -> tuple[Hashable, ...]:
        """No other source or revision has the same."""
        return self.workspace_id, self.key, self.revision


@dataclass(frozen=True, slots=True)
class _Errand:
    """What all questions of one fetch share."""

    source: Source
    service: Service
    secret: tuple[str, str] | None
    way: Way
    until: float
    breaker: Breaker

    def shared(self, url: str, body: bytes | None = None) -> Any:
        """One exchange, mine or that of whoever asks the same at this moment. Raises Unanswered."""
        key = (*self.source.identity, url, body)
        return _flights.share(key, lambda: self.ask(url, body), seconds=self.until - time.monotonic())

    def ask(self, url: str, body: bytes | None = None) -> Any:
        """One exchange, if there is time and the source isn't left alone. Raises Unanswered."""
        now = time.monotonic()
        if now >= self.until:
            raise Unanswered("there was no time left to ask", rests=False)
        if not self.breaker.lets_through(at=now):
            raise Unanswered(LEFT_ALONE, rests=False)
        good = False
        try:
            answer = ask_service(Question(url, self.secret, body), self.way, until=min(self.until, now + self.service.timeout))
            good = True
            return answer
        except Unanswered as error:
            good = not error.rests
            raise
        finally:
            self.breaker.note(good, at=time.monotonic())


def fetch(source: Source, asks: Sequence[Ask | Unaskable], way: Way, *, within: float) -> list[Told]:
    """What the source says to each question, in at most about so many seconds. Reads the secret's table, so not from within a
    transaction; asks from threads of its own, which touch no database."""
    wanted = list(dict.fromkeys(each for each in asks if isinstance(each, Ask)))
    found = _found(source, wanted, way, until=time.monotonic() + within) if wanted else {}
    for why in sorted({str(answer) for answer in found.values() if isinstance(answer, Unanswered)}):
        log.warning("content.unanswered", workspace=source.workspace_id, source=source.key, why=why)
    outcomes = {each: untold(source.body, str(it)) if isinstance(it, Unanswered) else it for each, it in found.items()}
    return [untold(source.body, each.why) if isinstance(each, Unaskable) else outcomes[each] for each in asks]


def _found(source: Source, asks: Sequence[Ask], way: Way, *, until: float) -> Found:
    """What was told to each question, or why nothing was."""
    service, now = source.body.http, time.monotonic()
    if service is None:
        return _in_tables(source, asks)
    known: Found = {each: kept.told for each in asks if (kept := _answers.get((*source.identity, each), at=now)) is not None}
    unknown = [each for each in asks if each not in known]
    if not unknown:
        return known
    try:
        errand = _Errand(source, service, _header(source, service), way, until, _breaker(source, service))
    except DoorError as error:
        return known | {each: Unanswered(error.reason, rests=False) for each in unknown}
    jobs = list(_batches(errand, service.batch, unknown) if service.batch else _singles(errand, unknown))
    with ThreadPoolExecutor(min(AT_ONCE, len(jobs)), thread_name_prefix="content") as pool:
        for part in pool.map(lambda job: job(), jobs):
            known.update(part)
    return known


def _in_tables(source: Source, asks: Sequence[Ask]) -> Found:
    """What a table of this installation's own holds for each."""
    try:
        if source.body.table is not None:
            rows = rows_of(source.workspace_id, source.body.table.table, [str(each.about) for each in asks])
            answers = {each: rows.get(str(each.about), NOTHING) for each in asks}
        else:
            assert source.body.similar is not None, "a source has one part"
            answers = dict(zip(asks, alike(source.workspace_id, source.body.similar, [_keys(each.about) for each in asks]), strict=True))
    except DoorError as error:
        return {each: Unanswered(error.reason, rests=False) for each in asks}
    return {each: told(source.body, answer) for each, answer in answers.items()}


def _keys(about: Hashable) -> tuple[str, ...]:
    return about if isinstance(about, tuple) else (str(about),)


def _singles(errand: _Errand, asks: Sequence[Ask]) -> Iterator[Job]:
    """A question for each."""
    return (partial(_single, errand, each) for each in asks)


def _single(errand: _Errand, one: Ask) -> Found:
    try:
        return _remembered(errand, {one: errand.shared(one.url)})
    except Exception as error:
        return {one: _trouble(errand, error)}


def _trouble(errand: _Errand, error: Exception) -> Unanswered:
    """What a question came to that has no answer: a fault of ours leaves those people without content, and not the whole batch."""
    if isinstance(error, Unanswered):
        return error
    log.error("content.failed", source=errand.source.key, workspace=errand.source.workspace_id, exc_info=error)
    return Unanswered("a fault of ours", rests=False)


def _batches(errand: _Errand, batch: Batch, asks: Sequence[Ask]) -> Iterator[Job]:
    """The same address for as many as one question may be about."""
    by_url: dict[str, list[Ask]] = {}
    for each in asks:
        by_url.setdefault(each.url, []).append(each)
    for url, together in by_url.items():
        for start in range(0, len(together), batch.most):
            yield partial(_batch, errand, batch, url, together[start : start + batch.most])


def _batch(errand: _Errand, batch: Batch, url: str, some: list[Ask]) -> Found:
    try:
        answer = errand.shared(url, orjson.dumps({batch.name: [each.about for each in some]}))
        parted = _by_id(answer, batch.answers, batch.key)
        return _remembered(errand, {each: parted.get(str(each.about), NOTHING) for each in some})
    except Exception as error:
        return dict.fromkeys(some, _trouble(errand, error))


def _by_id(answer: Any, path: str, key: str) -> dict[str, Any]:
    """The parts of an answer about many, by whose they are. Raises Unanswered where it has another form than was said."""
    parts = value_at(answer, path) if answer is not NOTHING else {}
    if not key and isinstance(parts, dict):
        return {name: NOTHING if part is None else part for name, part in parts.items()}
    if key and isinstance(parts, list):
        return {str(owner): part for part in parts if (owner := value_at(part, key)) is not None}
    raise Unanswered("an answer in which nobody's part can be told from another's")


def _remembered(errand: _Errand, answers: Mapping[Ask, Any]) -> Found:
    """What the answers tell, kept for its time."""
    found, until = {each: told(errand.source.body, answer) for each, answer in answers.items()}, time.monotonic() + errand.service.ttl
    for each, it in found.items() if errand.service.ttl else ():
        _answers.put((*errand.source.identity, each), Kept(it, until, len(str(it.values)) + len(each.url) + OVERHEAD))
    return dict(found)


def _header(source: Source, service: Service) -> tuple[str, str] | None:
    """The header that says who asks. Raises Missing and Refused, in words without the secret."""
    if service.secret is None:
        return None
    value = secret(source.workspace_id, service.secret).strip()
    if not value.isascii() or not value.isprintable():
        raise Refused(f"the secret {service.secret} can't stand in a header")
    return service.header, f"Bearer {value}" if service.header.lower() == "authorization" else value


def _breaker(source: Source, service: Service) -> Breaker:
    if len(_breakers) > 1_000:
        _breakers.clear()
    return _breakers.setdefault(source.identity, Breaker(service.failures, service.rest))


def forget() -> None:
    """Forget what was answered and who failed: for tests, and for whoever looks at a source anew."""
    _answers.cache_clear()
    _breakers.clear()
