"""Content for everybody of a batch: asked once, together or side by side, remembered for its time, and never a fault of the mail."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from threading import Thread
from typing import Any

import pytest

from governance import door as governance
from governance.door import Actor, parse
from presentation.services import fetching
from presentation.services.answers import Ask, Told, Unaskable, told
from presentation.services.client import Way
from presentation.services.documents import ContentSourceBody
from presentation.services.fetching import LEFT_ALONE, Source, fetch
from presentation.services.memory import Answers, Breaker, Kept
from tests.presentation.letters import source
from tests.presentation.standin import WAY, Asked, Reply, Service, as_json, service

pytestmark = pytest.mark.django_db
WORDS = {"word": {"path": "word"}}


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    fetching.forget()
    yield
    fetching.forget()


def of(there: Service, *, url: str = "/{{ city }}", key: str = "words", **changes: Any) -> Source:
    """A source that is asked for one word."""
    http = {"url": there.url(url), "ttl": 0, **changes.pop("http", {})}
    body = parse(ContentSourceBody, source(http=http, response=changes.pop("response", WORDS), **changes))
    return Source(governance.default_workspace().pk, key, 1, body)


def put(what: Source, asks: Sequence[Ask | Unaskable], *, within: float = 5.0) -> list[Told]:
    return fetch(what, asks, Way(WAY), within=within)


def asks(there: Service, *names: str) -> list[Ask]:
    return [Ask(there.url(f"/{name}")) for name in names]


def word(asked: Asked) -> Reply:
    return as_json({"word": asked.path[1:]})


def test_everybody_gets_their_own_and_who_asks_the_same_is_asked_for_once() -> None:
    with service(word) as there:
        found = put(of(there), [*asks(there, "a", "b", "a"), Unaskable("city has no value")])
        assert [each.values for each in found] == [{"word": "a"}, {"word": "b"}, {"word": "a"}, {}]
        assert found[3].why == "city has no value" and len(there.asked) == 2


def test_questions_go_side_by_side_and_not_all_at_once() -> None:
    def slow(asked: Asked) -> Reply:
        time.sleep(0.05)
        return word(asked)

    with service(slow) as there:
        began = time.monotonic()
        found = put(of(there), asks(there, *map(str, range(40))))
        assert [each.values["word"] for each in found] == [str(each) for each in range(40)]
        assert 1 < there.most <= fetching.AT_ONCE and time.monotonic() - began < 40 * 0.05


def test_a_source_that_can_is_asked_about_many_at_once() -> None:
    people = {str(each): {"word": f"w{each}"} for each in range(450) if each != 7}
    batch = {"input": "city", "name": "ids", "most": 200, "answers": "people"}

    def answer(asked: Asked) -> Reply:
        return as_json({"people": {one: people[one] for one in asked.body["ids"] if one in people}})

    with service(answer) as there:
        what = of(there, url="/all", http={"batch": batch})
        found = put(what, [Ask(there.url("/all"), str(each)) for each in range(450)])
        assert sorted(len(asked.body["ids"]) for asked in there.asked) == [50, 200, 200]
        assert [each.values.get("word") for each in found] == [f"w{each}" if each != 7 else None for each in range(450)]
        assert found[7].why == "it has nothing here"


def test_a_list_says_by_a_member_whose_each_part_is_and_anything_else_is_nobodys() -> None:
    said: list[Any] = [[{"who": 2, "word": "two"}, {"who": 1, "word": "one"}, {"word": "whose?"}]]
    with service(lambda asked: as_json(said[0])) as there:
        what = of(there, url="/all", http={"batch": {"input": "city", "key": "who"}})
        both = [Ask(there.url("/all"), 1), Ask(there.url("/all"), 2)]
        assert [each.values["word"] for each in put(what, both)] == ["one", "two"]
        said[0] = {"who": 1}
        assert {each.why for each in put(what, both)} == {"an answer in which nobody's part can be told from another's"}


def test_answers_are_remembered_for_their_time_and_by_revision() -> None:
    with service(word) as there:
        what = of(there, http={"ttl": 1})
        for _ in range(3):
            put(what, asks(there, "a", "b"))
        assert len(there.asked) == 2
        put(Source(what.workspace_id, what.key, 2, what.body), asks(there, "a"))
        assert len(there.asked) == 3
        time.sleep(1.05)
        put(what, asks(there, "a"))
        assert len(there.asked) == 4


def test_what_is_remembered_is_bounded_in_number_and_bytes() -> None:
    memory = Answers(most=3, most_bytes=100)
    for each in range(5):
        memory.put(each, Kept(Told(), 10.0, 10))
    assert [memory.get(each, at=0.0) is not None for each in range(5)] == [False, False, True, True, True]
    memory.get(2, at=0.0)
    memory.put("large", Kept(Told(), 10.0, 85))
    assert [memory.get(each, at=0.0) is not None for each in (2, 3, 4, "large")] == [True, False, False, True]
    assert memory.get("large", at=10.0) is None
    memory.put("too large", Kept(Told(), 10.0, 101))
    assert memory.get("too large", at=0.0) is None


def test_who_asks_what_is_being_asked_waits_for_that_answer() -> None:
    def slow(asked: Asked) -> Reply:
        time.sleep(0.3)
        return word(asked)

    with service(slow) as there:
        what, found = of(there), list[Told]()
        threads = [Thread(target=lambda: found.extend(put(what, asks(there, "a")))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [each.values for each in found] == [{"word": "a"}] * 4 and len(there.asked) == 1


def test_a_source_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    ill: list[bool] = [True]
    with service(lambda asked: as_json({}, 503) if ill else word(asked)) as there:
        what = of(there, http={"failures": 3, "rest": 1})
        found = [put(what, asks(there, "a"))[0].why for _ in range(5)]
        assert found == ["it answered 503"] * 3 + [LEFT_ALONE] * 2 and len(there.asked) == 3
        ill.clear()
        time.sleep(1.05)
        assert put(what, asks(there, "a"))[0].values == {"word": "a"}
        assert put(what, asks(there, "b"))[0].values == {"word": "b"}


def test_a_rest_ends_with_one_question_whose_answer_decides() -> None:
    breaker = Breaker(2, 30.0)
    for _ in range(2):
        assert breaker.lets_through(at=0.0)
        breaker.note(False, at=0.0)
    assert not breaker.lets_through(at=29.9)
    assert breaker.lets_through(at=30.0) and not breaker.lets_through(at=30.0)
    breaker.note(False, at=31.0)
    assert not breaker.lets_through(at=60.0) and breaker.lets_through(at=61.0)
    breaker.note(True, at=61.0)
    assert breaker.lets_through(at=61.0) and breaker.lets_through(at=61.0)


def test_a_fault_of_ours_leaves_one_without_content_and_not_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    with service(word) as there:

        def odd(body: ContentSourceBody, answer: Any) -> Told:
            if answer == {"word": "b"}:
                raise RuntimeError("nobody thought of b")
            return told(body, answer)

        monkeypatch.setattr(fetching, "told", odd)
        found = put(of(there), asks(there, "a", "b", "c"))
        assert [each.values.get("word") for each in found] == ["a", None, "c"] and found[1].why == "a fault of ours"


def test_a_bad_question_is_no_sign_of_an_ill_source() -> None:
    with service(lambda asked: as_json({}, 422)) as there:
        what = of(there, http={"failures": 1})
        assert [put(what, asks(there, "a"))[0].why for _ in range(3)] == ["it answered 422"] * 3


def test_no_question_begins_when_the_time_is_up() -> None:
    def slow(asked: Asked) -> Reply:
        time.sleep(0.2)
        return word(asked)

    with service(slow) as there:
        began = time.monotonic()
        found = put(of(there), asks(there, *map(str, range(100))), within=0.5)
        assert time.monotonic() - began < 1.5
        assert {each.why for each in found} <= {"", "no answer in time", "there was no time left to ask"} and len(there.asked) < 40


def test_the_secret_is_read_by_name_and_stands_in_no_outcome(administrator: Actor, now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    with service(lambda asked: as_json({}, 401)) as there:
        for header, expected in (("Authorization", "Bearer a-canary"), ("X-Api-Key", "a-canary")):
            body = of(there).body
            assert body.http is not None
            keyed = body.model_copy(update={"http": body.http.model_copy(update={"secret": "WORDS_KEY", "header": header})})
            what = Source(administrator.workspace_id, header, 1, keyed)
            assert put(what, asks(there, "a"))[0].why.startswith(
                "the secret WORDS_KEY is not set" if header[0] == "A" else "it answered 401"
            )
            governance.set_secret(administrator, "WORDS_KEY", "a-canary\n", now=now)
            found = put(what, asks(there, "a"))[0]
            assert there.asked[-1].headers[header.lower()] == expected
            assert "canary" not in repr(found) and "canary" not in caplog.text
        governance.set_secret(administrator, "WORDS_KEY", "a\r\nX: b", now=now)
        assert "can't stand in a header" in put(what, asks(there, "b"))[0].why


def test_a_field_that_is_missing_or_of_another_type_stands_in_or_is_told() -> None:
    response = {"n": {"path": "n", "type": "number", "fallback": 0}, "day": {"path": "d", "type": "date"}}
    body = parse(ContentSourceBody, source(response=response, http={"url": "https://example.com/"}, inputs={}))
    assert told(body, {"n": 5, "d": "2026-01-02"}).why == ""
    half = told(body, {"n": "five", "d": "2026-01-02"})
    assert (half.values["n"], half.stood_in, half.why) == (0, ("n",), "n should be a number, not text")
    assert told(body, {"n": 5}).why == "day isn't in the answer"
    assert set(told(body, ["not", "an", "object"]).values) == {"n"}


def test_where_there_is_nothing_fallbacks_stand_in_if_the_source_says_so() -> None:
    with service(lambda asked: as_json({}, 500)) as there:
        what = of(there, response={"word": {"path": "word", "fallback": "well"}}, on_missing="fallback")
        found = put(what, [*asks(there, "a"), Unaskable("city has no value")])
        assert [each.values for each in found] == [{"word": "well"}] * 2
        assert [(each.stood_in, each.why) for each in found] == [(("word",), "it answered 500"), (("word",), "city has no value")]
