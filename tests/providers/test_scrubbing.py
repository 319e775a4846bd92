"""What a provider said never brings a payload, a token or a signed link into a log or a sentence."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.providers.replies import Reply
from bot.providers.scrubbing import LONGEST_TEXT, said_by, scrubbed

LONG_RUN = re.compile(r"[A-Za-z0-9+/_-]{120,}")
QUERY = re.compile(
    r"https?://[^\s'\"<>?#]+[?#][^\s'\"<>\[…]"
)  # "?[query]" is what a query becomes; it may be cut short

TEXT = st.text(max_size=60)
BASE64 = st.text("ABCDabcd0123+/=", min_size=120, max_size=600)
LINKS = st.builds(
    lambda host, query: f"https://{host}.example/cats.zip?X-Amz-Signature={query}",
    st.text("abc", min_size=1, max_size=5),
    st.text("abcdef0123%&=", min_size=1, max_size=80),
)
NOISY = st.lists(TEXT | BASE64 | LINKS, max_size=6).map(" ".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NOISY,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(["detail", "error", "message", "title", "msg", "loc", "input"]) | TEXT, inner, max_size=5
        )
    ),
    max_leaves=25,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  two\n\twords\x00 ", "two words"),
        ("data:image/png;base64,QUJD+/= end", "[data] end"),
        ("data:application/x-zip.v2+x;base64,", "[data]"),
        ("A" * 119, "A" * 119),
        ("A" * 120 + "==.", "[data]."),
        ("token r8_abcdefgh12345678", "token [secret]"),
        ("hf_abcdefgh12345678, bfl_abcdefgh12345678", "[secret], [secret]"),
        ("tgp_v1_abcdefgh12345678 whsec_abcdefgh12345678=", "[secret] [secret]"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer [secret]"),
        ("authorization: key 0123456789ab:cdef", "authorization: key [secret]"),
        ("the key is wrong", "the key is wrong"),
        ("01234567-89ab-cdef-0123-456789abcdef:0123456789abcdef0123", "[secret]"),
        ("see https://a.example/b?sig=1&x=2#top now", "see https://a.example/b?[query] now"),
        ("see https://a.example/b#token", "see https://a.example/b?[query]"),
        ('"https://a.example/b?sig=1","n":2', '"https://a.example/b?[query]","n":2'),
        ("see https://a.example/b.", "see https://a.example/b."),
        ("x" * 50, "x" * 9 + "…"),
    ],
)
def test_what_is_left_of_a_text(text: str, expected: str) -> None:
    assert scrubbed(text, longest=10 if text == "x" * 50 else 2000) == expected


@given(NOISY, st.integers(1, 2500))
@example("A" * 130, 125)
@example("data:image/png;base64," + "QUJD" * 5000, 2000)
@example("https://a.example/?" + "A" * 300, 40)
def test_no_payload_and_no_query_is_left_and_never_more_than_asked(text: str, longest: int) -> None:
    left = scrubbed(text, longest=longest)
    assert len(left) <= longest
    assert not LONG_RUN.search(left)
    assert not QUERY.search(left)
    assert left.isprintable()


@given(JSON)
@example({"detail": [{"loc": ["body", "image"], "msg": "no base64", "input": "QUJD" * 1000}]})
@example({"detail": [{"loc": {"a": 1}, "msg": "x" * 5000}, {"msg": None}, None, 5]})
@example({"error": {"message": None, "detail": [[], {}]}, "title": "really"})
def test_no_json_whatever_it_holds_breaks_the_reading(body: Any) -> None:
    said = said_by(body)
    assert len(said) <= LONGEST_TEXT
    assert not LONG_RUN.search(said)
    assert not QUERY.search(said)


@given(st.binary(max_size=300) | JSON.map(lambda body: json.dumps(body).encode()))
@example(b'{"detail":' * 100_000)
@example(b'{"detail":' * 900 + b'"deep"' + b"}" * 900)
@example(b"9" * 5000)
@example(b'"\\ud800"')
def test_no_bytes_whatever_they_are_break_the_reading(body: bytes) -> None:
    assert len(Reply(status=422, headers={}, body=body).said()) <= LONGEST_TEXT


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"detail": "no"}, "no"),
        ({"error": "no"}, "no"),
        ({"error": {"message": "no", "type": "invalid"}}, "no"),
        ({"message": "no"}, "no"),
        ({"title": "Bad", "detail": "no", "status": 422}, "no"),
        ({"title": "Bad", "detail": ""}, "Bad"),
        ({"detail": [{"loc": ["body", "input", 0, "n"], "msg": "too many", "input": 5}]}, "input.0.n: too many"),
        ({"detail": [{"msg": "one"}, {"msg": "two"}]}, "one; two"),
        ({"detail": [{"msg": str(number)} for number in range(9)]}, "0; 1; 2; 3; 4"),
        ({"detail": {"error": {"detail": "deep"}}}, "deep"),
        ({"status": "no"}, ""),
        ("<html>no</html>", ""),
        (7, ""),
        (None, ""),
    ],
)
def test_the_words_of_every_provider_are_found(body: Any, said: str) -> None:
    assert said_by(body) == said


@pytest.mark.parametrize("text", ["HTTPS://a.example/b?sig=5ec4e7", r'{"url":"https:\/\/a.example\/b?sig=5ec4e7"}'])
def test_a_link_that_is_written_differently_is_a_link(text: str) -> None:
    assert "5ec4e7" not in scrubbed(text)
