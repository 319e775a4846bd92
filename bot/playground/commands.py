"""The application commands a bot has registered, global and for the server."""

from bot.playground import command_rules, limits, refusals
from bot.playground.form import Form
from bot.playground.shapes import Json
from bot.playground.snowflakes import Snowflakes

Scope = str | None


class CommandBook:
    """Commands by scope: None is global, otherwise a server's id. A command that stays keeps its id."""

    def __init__(self, snowflakes: Snowflakes, *, application_id: str) -> None:
        self._snowflakes = snowflakes
        self._application_id = application_id
        self._commands: dict[Scope, dict[tuple[int, str], Json]] = {}

    def in_scope(self, scope: Scope) -> list[Json]:
        return list(self._commands.get(scope, {}).values())

    def all(self) -> list[Json]:
        return [command for scope in self._commands for command in self.in_scope(scope)]

    def find(self, command_id: str) -> Json | None:
        return next((command for command in self.all() if command["id"] == command_id), None)

    def replace_all(self, scope: Scope, commands: list[Json]) -> list[Json]:
        form = Form()
        command_rules.check_all(form, commands)
        form.refuse_if_wrong()
        written = [self._write(scope, command) for command in commands]
        self._commands[scope] = {_key(command): command for command in written}
        return self.in_scope(scope)

    def put(self, scope: Scope, command: Json) -> tuple[Json, bool]:
        """Registers one command; the second value tells whether it is new."""
        form = Form()
        command_rules.check(form, (), command)
        form.refuse_if_wrong()
        registered = self._commands.setdefault(scope, {})
        key = _key(command)
        is_new = key not in registered
        of_kind = sum(kind == key[0] for kind, _ in registered)
        if is_new and of_kind >= limits.COMMANDS_OF_KIND.get(key[0], 0):
            raise refusals.Refusal(400, 30032, "Maximum number of application commands reached (100)")
        registered[key] = self._write(scope, command)
        return registered[key], is_new

    def _write(self, scope: Scope, command: Json) -> Json:
        before = self._commands.get(scope, {}).get(_key(command))
        return command_rules.answered(
            command,
            command_id=before["id"] if before else self._snowflakes.take(),
            application_id=self._application_id,
            version=self._snowflakes.take(),
            guild_id=scope,
        )


def _key(command: Json) -> tuple[int, str]:
    return (command.get("type") or command_rules.CHAT_INPUT, command["name"])
