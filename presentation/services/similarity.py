"""Rows of a table that are like those somebody liked: by words (TF-IDF over hashed words), by numbers and by kinds.

Laws: the same table and the same likes give the same rows in the same order, on every machine; no liked row is among them; a table
that is loaded anew is read anew. A table is read whole once per load and process, and bounded.
"""

from __future__ import annotations

import math
import re
import threading
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from governance.door import Refused
from presentation.services.answers import NOTHING
from presentation.services.documents import Likeness
from presentation.services.tables import all_rows, table_of

MOST_ROWS = 50_000
MOST_LIKED = 50  # of one person: the last of them
MOST_WORDS = 400  # of one row
BUCKETS = 2**18  # that words are hashed into
TABLES = 4  # that a process keeps
DIGITS = 6  # of a score: what differs beyond them is the machine's
_WORD = re.compile(r"[^\W_]{2,40}")
_kept: OrderedDict[Hashable, _Index] = OrderedDict()
_turn = threading.Lock()
Floats = npt.NDArray[np.float64]


def alike(workspace_id: int, wanted: Likeness, liked: Sequence[Sequence[str]]) -> list[Any]:
    """For each list of liked keys {"rows": …, "liked": …}, or NOTHING where none of them is in the table. Raises Missing and Refused."""
    index = _index(workspace_id, wanted)
    return [index.nearest(keys, wanted) for keys in liked]


def _index(workspace_id: int, wanted: Likeness) -> _Index:
    table = table_of(workspace_id, wanted.table)
    key = workspace_id, table.pk, table.load, tuple(wanted.text), tuple(wanted.numbers), tuple(wanted.categories)
    with _turn:
        if key not in _kept:
            if table.rows > MOST_ROWS:
                raise Refused(f"the table {wanted.table} has {table.rows:,} rows, and {MOST_ROWS:,} can be compared")
            _kept[key] = _read(all_rows(table, MOST_ROWS), wanted)
            while len(_kept) > TABLES:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return _kept[key]


@dataclass(frozen=True, slots=True)
class _Index:
    """places: key → row; vectors: the words of each row with their weights, of length 1; postings: by word, the rows and weights;
    numbers: a column each, scaled, NaN where there is none; kinds: a column each of numbers for equal values, -1 for none."""

    keys: list[str]
    rows: list[dict[str, Any]]
    places: Mapping[str, int]
    vectors: list[dict[int, float]]
    postings: Mapping[int, tuple[npt.NDArray[np.int64], Floats]]
    numbers: list[Floats]
    kinds: list[npt.NDArray[np.int64]]

    def nearest(self, keys: Sequence[str], wanted: Likeness) -> Any:
        """The answer for one person."""
        liked = list(dict.fromkeys(self.places[key] for key in keys if key in self.places))[-MOST_LIKED:]
        if not liked:
            return NOTHING
        scores = np.round(self._scores(liked, wanted), DIGITS)
        scores[liked] = -np.inf
        order = np.argsort(-scores, kind="stable")[: min(wanted.most, len(self.keys) - len(liked))]  # rows are in the order of their keys
        return {"rows": [self.rows[place] for place in order], "liked": [self.rows[place] for place in liked]}

    def _scores(self, liked: list[int], wanted: Likeness) -> Floats:
        total, weights = np.zeros(len(self.keys)), 0.0
        for has, weight, score in (
            (wanted.text, wanted.weights.text, self._words),
            (wanted.numbers, wanted.weights.numbers, self._numbers),
            (wanted.categories, wanted.weights.categories, self._kinds),
        ):
            if has and weight:
                total += weight * score(liked)
                weights += weight
        return total / weights if weights else total

    def _words(self, liked: list[int]) -> Floats:
        """The cosine of each row's words and of all that were liked together."""
        query: Counter[int] = Counter()
        for place in liked:
            query.update(self.vectors[place])
        length = math.sqrt(sum(weight * weight for weight in query.values())) or 1.0
        scores = np.zeros(len(self.keys))
        for word in sorted(query):
            rows, weights = self.postings[word]
            scores[rows] += weights * (query[word] / length)
        return scores

    def _numbers(self, liked: list[int]) -> Floats:
        """How near each row's numbers are to the means of what was liked: 1 where they are the same, a third at one deviation."""
        scores = np.zeros(len(self.keys))
        for column in self.numbers:
            known = column[liked][~np.isnan(column[liked])]
            if len(known):
                scores += np.nan_to_num(np.exp(-np.abs(column - known.mean())), nan=0.0)
        return scores / len(self.numbers)

    def _kinds(self, liked: list[int]) -> Floats:
        """Which share of what was liked is of the same kind."""
        scores = np.zeros(len(self.keys))
        for column in self.kinds:
            for kind, count in sorted(Counter(column[liked].tolist()).items()):
                if kind >= 0:
                    scores[column == kind] += count / len(liked)
        return scores / len(self.kinds)


def _read(found: Sequence[tuple[str, dict[str, Any]]], wanted: Likeness) -> _Index:
    keys, rows = [key for key, _ in found], [says for _, says in found]
    vectors = _vectors([_words_of(says, wanted.text) for says in rows]) if wanted.text else [{} for _ in rows]
    postings: dict[int, tuple[list[int], list[float]]] = {}
    for place, vector in enumerate(vectors):
        for word, weight in vector.items():
            of, weights = postings.setdefault(word, ([], []))
            of.append(place)
            weights.append(weight)
    return _Index(
        keys,
        rows,
        {key: place for place, key in enumerate(keys)},
        vectors,
        {word: (np.array(of), np.array(weights)) for word, (of, weights) in postings.items()},
        [_scaled([says.get(name) for says in rows]) for name in wanted.numbers],
        [_numbered([says.get(name) for says in rows]) for name in wanted.categories],
    )


def _words_of(says: Mapping[str, Any], columns: Sequence[str]) -> Counter[int]:
    """The words of a row as numbers, with how often each stands there."""
    text = " ".join(str(says[name]) for name in columns if isinstance(says.get(name), (str, int, float)))
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())[:MOST_WORDS]
    return Counter(crc32(word.encode()) % BUCKETS for word in words)


def _vectors(counts: Sequence[Counter[int]]) -> list[dict[int, float]]:
    """Words weighted by how rare they are; words that stand in a single row, or in every one, tell nothing of likeness."""
    rows = len(counts)
    often: Counter[int] = Counter(word for each in counts for word in each)
    rare = {word: math.log(rows / count) for word, count in often.items() if 1 < count < rows}
    found = []
    for each in counts:
        weighted = {word: (1 + math.log(count)) * rare[word] for word, count in sorted(each.items()) if word in rare}
        length = math.sqrt(sum(weight * weight for weight in weighted.values())) or 1.0
        found.append({word: weight / length for word, weight in weighted.items()})
    return found


def _scaled(values: Iterable[Any]) -> Floats:
    """Numbers in deviations from their mean; of numbers that are all above 0 the logarithms, so that twice as much is as far as half."""
    column: Floats = np.array([float(it) if isinstance(it, (int, float)) and not isinstance(it, bool) else math.nan for it in values])
    known = column[~np.isnan(column)]
    if not len(known):
        return column
    if known.min() > 0:
        column = np.log(column)
        known = column[~np.isnan(column)]
    spread = float(known.std())
    scaled: Floats = (column - known.mean()) / (spread or 1.0)
    return scaled


def _numbered(values: Sequence[Any]) -> npt.NDArray[np.int64]:
    """A number for each distinct value, -1 for none."""
    texts = [str(value).strip().casefold() if isinstance(value, (str, int, float)) else "" for value in values]
    numbers = {text: number for number, text in enumerate(sorted(set(texts) - {""}))}
    return np.array([numbers.get(text, -1) for text in texts], dtype=np.int64)
