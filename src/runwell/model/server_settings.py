"""What the whole server runs with, and where each value is from."""

from typing import Literal

import msgspec

SettingSource = Literal["environment", "default"]


class ServerSetting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting of the server's process. `variable` is what the operator sets; `value` is as text, null for none."""

    name: str
    variable: str
    value: str | None
    source: SettingSource
