"""Makes what a provider said fit for a log or a sentence: no base64, no token, no signed link, and short. Pure."""

import re
from typing import Any

LONGEST_TEXT = 300
LONGEST_BODY = 2000
LONGEST_READ = 8000  # what lies behind is not even looked at

SCRUBBED = (
    (re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,[A-Za-z0-9+/=_-]*"), "[data]"),
    (re.compile(r"\b(?:r8_|bfl_|hf_|tgp_v1_|whsec_)[\w+/=-]{8,}"), "[secret]"),
    (re.compile(r"(?i)\b(Bearer|Key|Token)\s+[\w.:+/=-]{12,}"), r"\1 [secret]"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}:[0-9a-zA-Z]{16,}"), "[secret]"),  # a fal key
    (re.compile(r"(?i)(https?:(?:\\?/){2}[^\s?#'\"<>]{1,2000})[?#][^\s'\"<>]+"), r"\1?[query]"),
    (re.compile(r"[A-Za-z0-9+/_-]{120,}={0,2}"), "[data]"),
)


def scrubbed(text: str, *, longest: int = LONGEST_BODY) -> str:
    """At most `longest` characters on one line."""
    text = text[: min(longest * 40, LONGEST_READ)]
    for pattern, instead in SCRUBBED:
        text = pattern.sub(instead, text)
    flat = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def said_by(body: Any) -> str:
    """What a reply's `detail`, `error`, `message` or `title` says to a person; empty when it says nothing readable.

    Shapes: PROVIDERS.md sections 1.7, 2.5, 3.3 and 4.6. Of a pydantic list only `loc` and `msg` are read: its `input`
    may hold the whole dataset.
    """
    if isinstance(body, str):
        return scrubbed(body, longest=LONGEST_TEXT) if "<" not in body else ""
    if isinstance(body, list):
        return scrubbed("; ".join(filter(None, (_field_error(one) for one in body[:5]))), longest=LONGEST_TEXT)
    if not isinstance(body, dict):
        return ""
    for key in ("detail", "error", "message", "title"):
        if said := said_by(body.get(key)):
            return said
    return ""


def _field_error(error: Any) -> str:
    if not isinstance(error, dict) or not isinstance(error.get("msg"), str):
        return ""
    loc = error.get("loc")
    steps = [str(step)[:40] for step in loc if step != "body"][:4] if isinstance(loc, list | tuple) else []
    return f"{'.'.join(steps)}: {error['msg'][:200]}" if steps else str(error["msg"][:200])
