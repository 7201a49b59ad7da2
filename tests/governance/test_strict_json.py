from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import UnsupportedMediaType

from governance.strict_json import Malformed, StrictJSONParser, loads

KEYS = ",".join(f'"k{n}":1' for n in range(1_001))


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        ('{"role":"viewer","role":"admin"}', "", "duplicate key role"),
        ('{"a":[{"b":1,"b":2}]}', "/a/0", "duplicate key b"),
        ("[" * 100_000 + "]" * 100_000, "", "nested too deeply"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "", "nested too deeply"),
        ("[" * 33 + "]" * 33, "", "nested too deeply"),
        ('{"n":' + "9" * 5_000 + "}", "/n", "number too large"),
        ('{"n":9007199254740993}', "/n", "9007199254740993"),
        ('{"n":-1e300}', "/n", "-1e300"),
        ('{"n":1e999}', "/n", "1e999"),
        ('{"n":NaN}', "/n", "NaN"),
        ('{"n":[-Infinity]}', "/n/0", "-Infinity"),
        ('{"a":{' + KEYS + "}}", "/a", "1,001 keys"),
        ('{"name":"a\\u0000b"}', "/name", "U+0000"),
        ('{"name":"\\ud800"}', "/name", "lone surrogate"),
        ('{"a\\u0000":1}', "", "U+0000"),
        ('{"name":"a\nb"}', "", "control character"),
        ("{", "", "line 1"),
        ("", "", "valid JSON"),
        ("{} {}", "", "extra data"),
        ("{'a':1}", "", "double quotes"),
    ],
)
def test_a_fault_is_named_and_placed(raw: str, path: str, words: str) -> None:
    with pytest.raises(Malformed) as caught:
        loads(raw.encode())
    finding = caught.value.findings[0]
    assert finding.path == path
    assert words in str(finding)
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    "raw", ['{"a":1}'.encode("utf-16"), b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16-le"), b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}']
)
def test_other_encodings_are_never_guessed(raw: bytes) -> None:
    with pytest.raises(Malformed, match="UTF-8"):
        loads(raw)


def test_another_charset_is_not_supported() -> None:
    with pytest.raises(UnsupportedMediaType):
        StrictJSONParser().parse(io.BytesIO(b"{}"), "application/json; charset=utf-16")
    assert StrictJSONParser().parse(io.BytesIO(b"{}"), "application/json; charset=UTF-8") == {}


def test_several_faults_are_told_together() -> None:
    with pytest.raises(Malformed) as caught:
        loads(b'{"a":NaN,"b":{"c":1,"c":1},"d":"\\ud800"}')
    assert [finding.path for finding in caught.value.findings] == ["/a", "/b", "/d"]


VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-(2**53), 2**53, allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5), inner, max_size=4)
    ),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(VALUE, st.booleans())
def test_ordinary_json_is_read_as_everybody_reads_it(value: Any, ascii: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii).encode()
    assert loads(raw) == json.loads(raw)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0d8e+-.19 ntf', max_size=60).map(str.encode))
def test_no_bytes_crash_the_parser(raw: bytes) -> None:
    try:
        loads(raw)
    except Malformed as fault:
        assert fault.findings
