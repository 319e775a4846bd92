"""Webhook signatures: what a provider signed passes, anything else is refused in one way, and nothing passes twice."""

import base64
import hashlib
import hmac
import math
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.providers import signatures
from bot.providers.signatures import NotGenuine, SeenDeliveries, check_bfl, check_fal, check_replicate, fal_keys

NOW = 1_760_000_000
BODY = '{"id":"cats","status":"succeeded","title":"Kätzchen"}'.encode()
KEY = bytes(range(24))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(bytes(24)).decode()
FAL = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
PASSPHRASE = "correct horse battery staple"
NONSENSE_TIMES = [
    "",
    "soon",
    "NaN",
    "inf",
    "0",
    "-1",
    "+1760000000",
    "01760000000",
    "1760000000.0",
    "1.76e9",
    "0x68e77800",
]
NONSENSE_TIMES += [" 1760000000", "1760000000\n", "1_760_000_000", "9" * 5000, "\N{ARABIC-INDIC DIGIT THREE}" * 10]


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def replicate_headers(
    body: bytes = BODY, *, key: bytes = KEY, at: int | str = NOW, delivery_id: str = "msg_1"
) -> dict[str, str]:
    digest = hmac.new(key, f"{delivery_id}.{at}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": delivery_id, "webhook-timestamp": str(at), "webhook-signature": signature}


def fal_headers(
    body: bytes = BODY, *, key: Ed25519PrivateKey = FAL, at: int | str = NOW, request_id: str = "req-1"
) -> dict[str, str]:
    message = "\n".join([request_id, "user-1", str(at), hashlib.sha256(body).hexdigest()]).encode()
    return {
        "x-fal-webhook-request-id": request_id,
        "x-fal-webhook-user-id": "user-1",
        "x-fal-webhook-timestamp": str(at),
        "x-fal-webhook-signature": key.sign(message).hex(),
    }


def bfl_signature(body: bytes = BODY, *, secret: str = PASSPHRASE) -> dict[str, str]:
    return {"x-bfl-signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def replicate(headers: dict[str, str], body: bytes = BODY, *, secret: str = SECRET, now: float = NOW) -> str:
    return check_replicate(headers, body, secret=secret, now=now)


def fal(headers: dict[str, str], body: bytes = BODY, *, keys: tuple[bytes, ...] = (), now: float = NOW) -> str:
    return check_fal(headers, body, keys=keys or (public(FAL),), now=now)


def bfl(headers: dict[str, str], body: bytes = BODY) -> None:
    check_bfl(headers, body, secret=PASSPHRASE)


SIGNED = [
    pytest.param(replicate, replicate_headers, id="replicate"),
    pytest.param(fal, fal_headers, id="fal"),
]
EVERY = [*SIGNED, pytest.param(bfl, bfl_signature, id="bfl")]
Check = Callable[..., Any]
Sign = Callable[..., dict[str, str]]


def refusal(attempt: Callable[[], object], kind: type[Exception]) -> Exception | None:
    """What it raised of that kind; anything else goes through."""
    try:
        attempt()
    except kind as problem:
        return problem
    return None


def test_what_replicate_signed_passes_and_tells_its_id() -> None:
    assert (
        replicate(replicate_headers(delivery_id="msg_2KWPBgLlAfxdpx2AI54pPJ85f4W")) == "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
    )


def test_the_published_example_of_standard_webhooks_passes() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert replicate(headers, body, secret=secret, now=1614265330) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_what_fal_signed_passes_and_tells_its_request() -> None:
    assert fal(fal_headers(request_id="5057fca7-2eb3-468f-b95d-cefe92b0b9d4")) == "5057fca7-2eb3-468f-b95d-cefe92b0b9d4"


def test_fals_body_need_not_be_text() -> None:
    assert fal(fal_headers(b"\xff\x00"), b"\xff\x00") == "req-1"


def test_a_signature_in_capitals_is_the_same_signature() -> None:
    headers = fal_headers()
    headers["x-fal-webhook-signature"] = headers["x-fal-webhook-signature"].upper()
    assert fal(headers) == "req-1"
    bfl({"x-bfl-signature": "sha256=" + bfl_signature()["x-bfl-signature"].removeprefix("sha256=").upper()})


@pytest.mark.parametrize(("check", "sign"), EVERY)
@pytest.mark.parametrize("body", [BODY + b" ", BODY[:-1], b"", BODY.replace(b"succeeded", b"succeedeD"), b"\xff\xfe"])
def test_a_changed_body_is_refused(check: Check, sign: Sign, body: bytes) -> None:
    check(sign(), BODY)
    with pytest.raises(NotGenuine):
        check(sign(), body)


@pytest.mark.parametrize(("check", "sign"), EVERY)
def test_a_missing_or_empty_header_is_refused(check: Check, sign: Sign) -> None:
    for name in sign():
        for headers in ({key: value for key, value in sign().items() if key != name}, {**sign(), name: ""}):
            with pytest.raises(NotGenuine):
                check(headers)


@pytest.mark.parametrize(("check", "sign"), EVERY)
@pytest.mark.parametrize(
    "spoil", ["{}\n", "\n{}", " {}", "{} ", "{}\0", "{}é", "{}\ud800", "{}" + "0" * 5000, "{}=", "0{}"]
)
def test_a_header_with_anything_around_it_is_refused(check: Check, sign: Sign, spoil: str) -> None:
    """But for a space around Replicate's signature: that is a list, separated by spaces."""
    for name, value in sign().items():
        if name == "webhook-signature" and " " in spoil:
            continue
        with pytest.raises(NotGenuine):
            check({**sign(), name: spoil.format(value)})


@pytest.mark.parametrize(("check", "sign"), SIGNED)
@pytest.mark.parametrize("off", [0, 299, 300, -299, -300])
def test_a_delivery_within_five_minutes_of_now_passes(check: Check, sign: Sign, off: int) -> None:
    check(sign(at=NOW - off))


@pytest.mark.parametrize(("check", "sign"), SIGNED)
@pytest.mark.parametrize("off", [301, -301, 86_400, -86_400])
def test_a_stale_or_future_delivery_is_refused_however_well_signed(check: Check, sign: Sign, off: int) -> None:
    with pytest.raises(NotGenuine, match="seconds from now"):
        check(sign(at=NOW - off))


@pytest.mark.parametrize(("check", "sign"), SIGNED)
@pytest.mark.parametrize("clock", [math.nan, math.inf, -math.inf])
def test_a_clock_that_is_not_a_number_lets_nothing_through(check: Check, sign: Sign, clock: float) -> None:
    with pytest.raises(NotGenuine):
        check(sign(), now=clock)


@pytest.mark.parametrize(("check", "sign"), SIGNED)
@pytest.mark.parametrize("time", NONSENSE_TIMES)
def test_a_time_that_is_no_time_is_refused_however_well_signed(check: Check, sign: Sign, time: str) -> None:
    with pytest.raises(NotGenuine):
        check(sign(at=time))


def test_replicates_wrong_secret_is_refused() -> None:
    with pytest.raises(NotGenuine, match="no signature"):
        replicate(replicate_headers(), secret=OTHER_SECRET)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!!", "whsec_a", "whsec_é", "é"])
def test_a_secret_that_cannot_be_used_lets_nothing_through(secret: str) -> None:
    with pytest.raises(NotGenuine, match="secret to check with"):
        replicate(replicate_headers(key=b""), secret=secret)


@pytest.mark.parametrize("others", ["v1,AAAA {0} v1,BBBB", "v1a,x v2,x {0}", "{0} ,", "v1 nonsense {0}", "  {0}"])
def test_one_right_signature_among_several_suffices(others: str) -> None:
    headers = replicate_headers()
    assert replicate({**headers, "webhook-signature": others.format(headers["webhook-signature"])}) == "msg_1"


@pytest.mark.parametrize("form", ["{}", "v2,{}", "v1a,{}", "v1{}", "V1,{}", "v1, {}", "v1,v1,{}", "v1,!{}", "v1,{},v1"])
def test_a_right_signature_in_another_form_is_refused(form: str) -> None:
    headers = replicate_headers()
    bare = headers["webhook-signature"].removeprefix("v1,")
    with pytest.raises(NotGenuine, match="no signature"):
        replicate({**headers, "webhook-signature": form.format(bare)})


def test_4096_characters_are_read_and_one_more_is_too_many() -> None:
    longest = "m" * 4096
    assert replicate(replicate_headers(delivery_id=longest)) == fal(fal_headers(request_id=longest)) == longest
    check_bfl({"x-webhook-secret": longest}, BODY, secret=longest)
    with pytest.raises(NotGenuine, match="longer than"):
        replicate(replicate_headers(delivery_id=longest + "m"))
    with pytest.raises(NotGenuine, match="longer than"):
        fal(fal_headers(request_id=longest + "m"))
    with pytest.raises(NotGenuine):
        check_bfl({"x-webhook-secret": longest + "m"}, BODY, secret=longest + "m")


def test_the_border_between_id_and_body_cannot_be_moved() -> None:
    genuine = b'{"logs":".1760000000.{}"}'
    headers = replicate_headers(genuine, at=NOW - 90_000)
    moved_id = f'msg_1.{NOW - 90_000}.{{"logs":"'
    assert f"{moved_id}.{NOW}." in f"msg_1.{NOW - 90_000}.{genuine.decode()}"
    with pytest.raises(NotGenuine, match="full stop"):
        replicate({**headers, "webhook-id": moved_id, "webhook-timestamp": str(NOW)}, b'{}"}')


def test_the_border_between_fals_lines_cannot_be_moved() -> None:
    headers = fal_headers(request_id="req\n1")
    with pytest.raises(NotGenuine, match="printable"):
        fal({**headers, "x-fal-webhook-request-id": "req", "x-fal-webhook-user-id": "1\nuser-1"})


def test_a_strangers_key_is_refused() -> None:
    with pytest.raises(NotGenuine, match="none of fal's keys"):
        fal(fal_headers(key=STRANGER))


def test_without_keys_nothing_is_fals() -> None:
    with pytest.raises(NotGenuine):
        check_fal(fal_headers(), BODY, keys=(), now=NOW)


def test_a_key_of_the_wrong_length_is_no_key() -> None:
    assert fal(fal_headers(), keys=(b"short", public(FAL))) == "req-1"
    with pytest.raises(NotGenuine):
        fal(fal_headers(), keys=(b"short",))


def test_while_keys_rotate_both_pass_and_afterwards_only_the_new() -> None:
    both = fal_keys({"keys": [jwk(STRANGER), jwk(FAL)]})
    assert fal(fal_headers(key=STRANGER), keys=both) == fal(fal_headers(key=FAL), keys=both) == "req-1"
    after = fal_keys({"keys": [jwk(FAL)]})
    assert fal(fal_headers(key=FAL), keys=after) == "req-1"
    with pytest.raises(NotGenuine):
        fal(fal_headers(key=STRANGER), keys=after)


def jwk(key: Ed25519PrivateKey = FAL, **changed: Any) -> dict[str, Any]:
    encoded = base64.urlsafe_b64encode(public(key)).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": encoded, **changed}


def test_keys_of_another_kind_are_passed_over() -> None:
    others = [{"kty": "RSA", "n": "x"}, jwk(crv="X25519"), jwk(crv="Ed448"), jwk(kty="EC"), {}]
    assert fal_keys({"keys": [*others, jwk()]}) == (public(FAL),)


def test_twenty_keys_are_read_and_one_more_is_too_many() -> None:
    assert len(fal_keys({"keys": [jwk()] * 20})) == 20
    with pytest.raises(ValueError, match="1 to 20"):
        fal_keys({"keys": [jwk()] * 21})


@pytest.mark.parametrize(
    "document", [None, [], "keys", 1, {}, {"keys": None}, {"keys": []}, {"keys": {}}, {"keys": "x"}]
)
def test_a_document_without_a_key_list_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r"does not list 1 to 20 keys\.$"):
        fal_keys(document)


@pytest.mark.parametrize("entries", [[None], [jwk(), "key"], [jwk(), []]])
def test_a_key_list_with_something_else_in_it_is_refused(entries: list[Any]) -> None:
    with pytest.raises(ValueError, match="not a key"):
        fal_keys({"keys": entries})


def test_a_key_list_without_an_ed25519_key_is_refused() -> None:
    with pytest.raises(ValueError, match="no Ed25519 key"):
        fal_keys({"keys": [{"kty": "RSA"}]})


@pytest.mark.parametrize(
    "x", [None, 7, "", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 42 + "+", "A" * 42 + "é", "A" * 43 + "\n"]
)
def test_a_key_that_is_not_32_bytes_of_base64url_is_refused(x: Any) -> None:
    with pytest.raises(ValueError, match="32 bytes in base64url"):
        fal_keys({"keys": [jwk(), jwk(x=x)]})


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=50),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["keys", "kty", "crv", "x"]) | st.text(max_size=5), inner, max_size=4)
        | st.fixed_dictionaries({"kty": st.just("OKP"), "crv": st.just("Ed25519"), "x": inner})
    ),
)


@given(JSON | JSON.map(lambda inner: {"keys": [inner]}))
def test_any_document_is_keys_of_32_bytes_or_a_sentence(document: Any) -> None:
    if problem := refusal(lambda: fal_keys(document), ValueError):
        assert str(problem).endswith(".")
        assert len(str(problem)) < 100
    else:
        assert {len(key) for key in fal_keys(document)} == {32}


def test_either_of_bfls_proofs_suffices() -> None:
    bfl({"x-webhook-secret": PASSPHRASE})
    bfl(bfl_signature())
    bfl({"x-webhook-secret": "wrong" * 2000, **bfl_signature()})
    bfl({"x-webhook-secret": PASSPHRASE, "x-bfl-signature": "sha256=é"})


@pytest.mark.parametrize(
    "told", ["", PASSPHRASE[:-1], PASSPHRASE + "!", PASSPHRASE.upper(), "é", "\ud800", "x" * 10_000]
)
def test_bfls_wrong_secret_is_refused(told: str) -> None:
    with pytest.raises(NotGenuine):
        bfl({"x-webhook-secret": told})


def test_bfls_signature_with_another_secret_is_refused() -> None:
    with pytest.raises(NotGenuine):
        bfl(bfl_signature(secret="another"))


def test_a_signature_without_its_prefix_is_refused() -> None:
    with pytest.raises(NotGenuine):
        bfl({"x-bfl-signature": bfl_signature()["x-bfl-signature"].removeprefix("sha256=")})


def test_no_secret_is_not_a_secret_everyone_knows() -> None:
    for headers in ({}, {"x-webhook-secret": ""}, bfl_signature(secret="")):
        with pytest.raises(NotGenuine):
            check_bfl(headers, BODY, secret="")


def test_a_secret_beyond_ascii_can_still_sign() -> None:
    check_bfl(bfl_signature(secret="Kätzchen"), BODY, secret="Kätzchen")


NAMES = [*replicate_headers(), *fal_headers(), "x-webhook-secret", "x-bfl-signature"]
VALUES = (
    st.text(max_size=200)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200)
    | st.text("0123456789abcdefABCDEF", min_size=126, max_size=130)
    | st.integers().map(str)
    | st.integers(NOW - 400, NOW + 400).map(str)
    | st.text("0123456789abcdef", min_size=63, max_size=65).map("sha256={}".format)
    | st.binary(max_size=40).map(lambda raw: "v1," + base64.b64encode(raw).decode())
    | st.sampled_from(["NaN", "v1,", ",", "v1", "sha256=", "9" * 5000, "\ud800", "v1,é", "-0", "1e400"])
)
GARBAGE = st.dictionaries(st.sampled_from(NAMES), VALUES.filter(lambda value: value != PASSPHRASE))
CHECKS: list[Check] = [replicate, fal, bfl]


@given(GARBAGE, st.binary(max_size=200))
@example({}, b"")
@settings(max_examples=500, deadline=None)
def test_whatever_a_stranger_sends_is_only_ever_not_genuine(headers: dict[str, str], body: bytes) -> None:
    for check in CHECKS:
        with pytest.raises(NotGenuine) as refused:
            check(headers, body)
        assert len(str(refused.value)) < 100


@given(GARBAGE, st.binary(max_size=200))
@settings(max_examples=500, deadline=None)
def test_genuine_headers_with_any_of_them_replaced_are_only_ever_not_genuine(
    garbage: dict[str, str], body: bytes
) -> None:
    """The rest being right lets the garbage reach every line of the check."""
    for check, genuine in ((replicate, replicate_headers(body)), (fal, fal_headers(body)), (bfl, bfl_signature(body))):
        headers = {name: garbage.get(name, value) for name, value in genuine.items()}
        is_text = check is not replicate or body.decode("utf-8", "ignore").encode() == body
        if headers == genuine and is_text:
            check(headers, body)
            continue
        with pytest.raises(NotGenuine):
            check(headers, body)


@given(st.text(max_size=100).map("a private thing: {}".format))
def test_a_refusal_repeats_nothing_it_was_given(told: str) -> None:
    for name in NAMES:
        for check, genuine in ((replicate, replicate_headers()), (fal, fal_headers()), (bfl, {})):
            said = str(refusal(lambda: check({**genuine, name: told}), NotGenuine))  # noqa: B023
            assert not any(kept in said for kept in (told, SECRET, PASSPHRASE, BODY.decode()))


def test_a_delivery_sent_again_is_not_new() -> None:
    seen = SeenDeliveries()
    headers = replicate_headers()
    assert seen.is_new(replicate(headers), NOW)
    assert not seen.is_new(replicate(headers, now=NOW + 300), NOW + 300)
    assert seen.is_new(replicate(replicate_headers(delivery_id="msg_2")), NOW + 300)


def test_a_delivery_is_forgotten_fifteen_minutes_after_it_last_came() -> None:
    seen = SeenDeliveries()
    assert seen.is_new("a", NOW)
    assert not seen.is_new("a", NOW + 900)
    assert not seen.is_new("a", NOW + 1800)
    assert seen.is_new("a", NOW + 2701)


def test_no_genuine_delivery_passes_twice_while_it_is_fresh() -> None:
    """Signed for as late as it may be, seen at once: still remembered when it goes stale."""
    seen = SeenDeliveries()
    headers = replicate_headers(at=NOW + signatures.WINDOW_SECONDS)
    last_moment = NOW + 2 * signatures.WINDOW_SECONDS
    assert seen.is_new(replicate(headers, now=NOW), NOW)
    assert not seen.is_new(replicate(headers, now=last_moment), last_moment)


def test_ten_thousand_are_remembered_and_the_oldest_makes_room() -> None:
    seen = SeenDeliveries()
    assert all(seen.is_new(str(number), NOW) for number in range(10_000))
    assert not seen.is_new("0", NOW)
    assert seen.is_new("one more", NOW)
    assert not seen.is_new("0", NOW)
    assert not seen.is_new("2", NOW)
    assert seen.is_new("1", NOW)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 500)), max_size=50))
def test_within_fifteen_minutes_every_delivery_is_new_once(arrivals: list[tuple[str, float]]) -> None:
    seen = SeenDeliveries()
    new = [name for name, after in arrivals if seen.is_new(name, NOW + after)]
    assert sorted(new) == sorted({name for name, _ in arrivals})
