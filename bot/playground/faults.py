"""Trouble a test can order: answers that fail, answers that never arrive, and events that make no sense."""

import re
from dataclasses import dataclass

from bot.playground.shapes import Json

SENTENCES = {
    401: "401: Unauthorized",
    403: "Missing Access",
    404: "404: Not Found",
    429: "You are being rate limited.",
    500: "500: Internal Server Error",
    502: "502: Bad Gateway",
    503: "503: Service Unavailable",
}


@dataclass(kw_only=True)
class Fault:
    """`status` None means: do what was asked, then hang up without a word."""

    method: str
    path: re.Pattern[str]
    status: int | None
    body: Json | None
    remaining: int

    def reply(self) -> Json:
        if self.body is not None:
            return self.body
        body: Json = {"message": SENTENCES.get(self.status or 0, f"{self.status}: ordered by the test"), "code": 0}
        if self.status == 429:
            body |= {"retry_after": 0.05, "global": False}
        return body


class Faults:
    def __init__(self) -> None:
        self._ordered: list[Fault] = []

    def order(self, method: str, path_regex: str, status: int | None, body: Json | None, times: int) -> None:
        pattern = re.compile(path_regex)
        self._ordered.append(Fault(method=method.upper(), path=pattern, status=status, body=body, remaining=times))

    def take(self, method: str, path: str) -> Fault | None:
        for fault in self._ordered:
            if fault.remaining > 0 and fault.method in (method, "*") and fault.path.search(path):
                fault.remaining -= 1
                return fault
        return None


class Garbling:
    """Gateway events that are replaced by something else, as it stands, on their way to the bot."""

    def __init__(self) -> None:
        self._ordered: dict[str, list[str]] = {}

    def order(self, event_name: str, text: str, times: int) -> None:
        self._ordered.setdefault(event_name, []).extend([text] * times)

    def instead_of(self, event: Json) -> Json | str:
        waiting = self._ordered.get(event["t"])
        return waiting.pop(0) if waiting else event
