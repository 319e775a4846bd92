"""Routes with which a bot registers its application commands, global and for the server."""

from bot.playground import refusals
from bot.playground.form import Form
from bot.playground.rest_call import Call, Reply, Route

GLOBAL = "/applications/{application_id}/commands"
OF_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"


def _scope(call: Call) -> str | None:
    if call.values["application_id"] != call.world.bot.id:
        raise refusals.Refusal(403, 20012, "You are not authorized to perform this action on this application")
    guild_id = call.values.get("guild_id")
    if guild_id is not None and guild_id != call.world.server.id:
        raise refusals.unknown_guild()
    return guild_id


def _list(call: Call) -> Reply:
    return Reply(body=call.world.commands.in_scope(_scope(call)))


def _replace(call: Call) -> Reply:
    scope = _scope(call)
    form = Form()
    commands = form.listing((), call.body, most=130, required=True)
    form.refuse_if_wrong()
    return Reply(body=call.world.register_commands(scope, commands))


def _create(call: Call) -> Reply:
    command, is_new = call.world.register_command(_scope(call), call.object)
    return Reply(status=201 if is_new else 200, body=command)


def _one(call: Call) -> Reply:
    wanted = call.values["command_id"]
    for command in call.world.commands.in_scope(_scope(call)):
        if command["id"] == wanted:
            return Reply(body=command)
    raise refusals.unknown_command()


ROUTES = tuple(
    route
    for path in (GLOBAL, OF_GUILD)
    for route in (
        Route(method="GET", path=path, answer=_list),
        Route(method="PUT", path=path, answer=_replace),
        Route(method="POST", path=path, answer=_create),
        Route(method="GET", path=f"{path}/{{command_id}}", answer=_one),
    )
)
