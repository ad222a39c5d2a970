"""What the whole server runs with."""

import msgspec

from runwell.api.answers import Answer, answers
from runwell.api.route import Server, needs, router
from runwell.model.server_settings import ServerSetting

routes = router("settings")


class ServerSettingList(msgspec.Struct, frozen=True, kw_only=True):
    """Settings in a fixed order."""

    data: list[ServerSetting]


@routes.get("/v1/settings/server", responses=answers(ServerSettingList, "The settings, without what is secret."))
@needs("organization")
async def list_server_settings(server: Server) -> Answer:
    """Return what the server's process runs with, and whether each value was set or is the default. They change with a restart only."""
    return Answer(ServerSettingList(data=list(server.settings)))
