"""`runwell agents list | show | run`."""

import msgspec
from rich.table import Table

from runwell.cli.carrying import carry
from runwell.cli.console import print_json, print_table, stderr, stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.formatting import harmless_json, moment, one_line
from runwell.cli.options import Manner, Options
from runwell.cli.output import Format
from runwell.cli.place import NewRun
from runwell.cli.places import open_agents, open_place
from runwell.model.documents import steps_of
from runwell.model.times import from_rfc3339


async def list_agents(options: Options, output: Format) -> Exit:
    async with open_agents(options) as agents:
        found = await agents.all()
    if output is Format.JSON:
        print_json(found)
        return Exit.SUCCEEDED
    if not found:
        stderr().print("No agents.")
        return Exit.SUCCEEDED
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Agent", "Name", "Version", "Changed at"):
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    for agent in found:
        version = "-" if agent.active_version is None else f"v{agent.active_version}"
        table.add_row(agent.slug, one_line(agent.name), version, moment(from_rfc3339(agent.updated_at)))
    print_table(stdout(), table)
    return Exit.SUCCEEDED


async def show_agent(options: Options, key: str, output: Format) -> Exit:
    async with open_agents(options) as agents:
        found = await agents.one(key)
    if output is Format.JSON:
        print_json(found)
        return Exit.SUCCEEDED
    version = "no version is published" if found.agent.active_version is None else f"v{found.agent.active_version}"
    stdout().print(f"{one_line(found.agent.name)} ({found.agent.slug}), {version}", soft_wrap=True, markup=False)
    for _, step in steps_of(found.document):
        for field in ("model", "models", "instructions", "tools", "limits", "output_schema"):
            if field in step:
                stdout().print(f"  {field}: {harmless_json(msgspec.json.encode(step[field]))}", soft_wrap=True, markup=False)
    return Exit.SUCCEEDED


async def run_agent(options: Options, key: str, new: NewRun, manner: Manner) -> Exit:
    """Run the agent's active version. Raises what refuses it before anything is started."""
    async with open_agents(options) as agents:
        version = await agents.startable(key)
    async with open_place(options) as place:
        run_id = await place.start(version, new)
        return await carry(place, run_id, options, manner)
