"""The application commands a bot has registered, global and for the server."""

from bot.playground import command_rules, limits, refusals
from bot.playground.form import Form
from bot.playground.shapes import Json
from bot.playground.snowflakes import Snowflakes

Scope = str | None
OFFERED = (command_rules.CHAT_INPUT, command_rules.MESSAGE)  # what a person can use here


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
        of_kind, most = sum(kind == key[0] for kind, _ in registered), limits.COMMANDS_OF_KIND[key[0]]
        if is_new and of_kind >= most:
            raise refusals.Refusal(400, 30032, f"Maximum number of application commands reached ({most})")
        registered[key] = self._write(scope, command)
        return registered[key], is_new

    def _write(self, scope: Scope, command: Json) -> Json:
        if command_rules.kind_of(command) not in OFFERED:
            raise refusals.not_implemented("commands in the menu of a person or of an activity")
        before = self._commands.get(scope, {}).get(_key(command))
        return command_rules.answered(
            command,
            command_id=before["id"] if before else self._snowflakes.take(),
            application_id=self._application_id,
            version=self._snowflakes.take(),
            guild_id=scope,
        )


def _key(command: Json) -> tuple[int, str]:
    return (command_rules.kind_of(command), command["name"])
