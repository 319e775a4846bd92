"""What Discord says when it says no: one exception, and one function for each refusal the playground knows.

The numbers are Discord's JSON error codes. Raised anywhere below a route, written out by rest.py.
"""

from bot.playground.shapes import Json


class Refusal(Exception):
    """An answer that is not a success, as Discord would write it."""

    def __init__(self, status: int, code: int, message: str, *, errors: Json | None = None) -> None:
        super().__init__(f"{status} ({code}): {message} {errors or ''}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> Json:
        body: Json = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


def unauthorized() -> Refusal:
    return Refusal(401, 0, "401: Unauthorized")


def unknown_channel() -> Refusal:
    return Refusal(404, 10003, "Unknown Channel")


def unknown_guild() -> Refusal:
    return Refusal(404, 10004, "Unknown Guild")


def unknown_member() -> Refusal:
    return Refusal(404, 10007, "Unknown Member")


def unknown_message() -> Refusal:
    return Refusal(404, 10008, "Unknown Message")


def unknown_user() -> Refusal:
    return Refusal(404, 10013, "Unknown User")


def unknown_webhook() -> Refusal:
    return Refusal(404, 10015, "Unknown Webhook")


def unknown_interaction() -> Refusal:
    return Refusal(404, 10062, "Unknown interaction")


def unknown_command() -> Refusal:
    return Refusal(404, 10063, "Unknown application command")


def request_too_large() -> Refusal:
    return Refusal(413, 40005, "Request entity too large")


def already_acknowledged() -> Refusal:
    return Refusal(400, 40060, "Interaction has already been acknowledged.")


def cannot_act_in_direct_channel() -> Refusal:
    return Refusal(403, 50003, "Cannot execute action on a DM channel")


def missing_access() -> Refusal:
    return Refusal(403, 50001, "Missing Access")


def not_in_this_kind_of_channel() -> Refusal:
    return Refusal(400, 50024, "Cannot execute action on this channel type")


def thread_exists() -> Refusal:
    return Refusal(400, 160004, "A thread has already been created for this message")


def message_of_another() -> Refusal:
    return Refusal(403, 50005, "Cannot edit a message authored by another user")


def empty_message() -> Refusal:
    return Refusal(400, 50006, "Cannot send an empty message")


def cannot_message_this_user() -> Refusal:
    return Refusal(403, 50007, "Cannot send messages to this user")


def missing_permissions() -> Refusal:
    return Refusal(403, 50013, "Missing Permissions")


def invalid_webhook_token() -> Refusal:
    return Refusal(401, 50027, "Invalid Webhook Token")


def invalid_form(errors: Json) -> Refusal:
    return Refusal(400, 50035, "Invalid Form Body", errors=errors)


def not_json() -> Refusal:
    return Refusal(400, 50109, "The request body contains invalid JSON.")


def not_implemented(what: str) -> Refusal:
    return Refusal(501, 0, f"The playground does not implement {what}")
