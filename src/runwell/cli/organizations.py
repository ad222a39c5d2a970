"""`runwell organizations create | list` on a data directory that no server owns: an operator's work, no member's."""

import time

from rich.table import Table

from runwell.api.credentials import hashed, new_secret
from runwell.api.first_run import INVITATION_MS
from runwell.cli.console import print_json, print_table, stderr, stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.formatting import one_line
from runwell.cli.identities import identities_of
from runwell.cli.options import Options
from runwell.cli.output import Format
from runwell.model.errors import InvalidInput
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.identity import Membership, PasswordLink

_WHAT = "organizations"


async def create_organization(options: Options, name: str, admin: str, output: Format) -> Exit:
    name, admin = name.strip(), admin.strip().lower()
    if not name or not name.isprintable() or len(name) > 200:
        raise InvalidInput(f"the name is {name!r}", hint="name the organization, in at most 200 characters")
    if admin.count("@") != 1 or not admin.isprintable() or " " in admin or len(admin) > 254 or not all(admin.split("@")):
        raise InvalidInput(f"{admin!r} is no e-mail address", hint="give --admin the address of who is to administer it")
    token = new_secret()
    link = PasswordLink(token_hash=hashed(token), ttl_ms=INVITATION_MS)
    async with identities_of(options, _WHAT, None) as identities:
        if await identities.accounts.by_email(admin) is not None:
            raise InvalidInput(
                f"somebody with the e-mail address {admin!r} has an account already", hint="an account is of one organization"
            )
        project = await identities.organizations.found(name, "default")
        scope = Scope(project.organization_id, project.id)
        user = await identities.members.invite(scope, admin, admin, Membership(organization_admin=True, roles={}), link)
    path = f"/password?token={token}"
    if output is Format.JSON:
        ends = rfc3339(int(time.time() * 1000) + INVITATION_MS)
        print_json({"id": scope.org_id, "name": name, "project": project, "admin": user, "link": path, "expires_at": ends})
    else:
        stdout().print(path, soft_wrap=True)
        stderr().print(f"Send {admin} this link, below the server's address: a password can be chosen with it once.", soft_wrap=True)
    return Exit.SUCCEEDED


async def list_organizations(options: Options, output: Format) -> Exit:
    async with identities_of(options, _WHAT, None) as identities:
        found = await identities.organizations.every()
    if output is Format.JSON:
        print_json(found)
    else:
        table = Table("Organization", "Name", "Created", box=None)
        for one in found:
            table.add_row(one.id, one_line(one.name, 60), one.created_at)
        print_table(stdout(), table)
    return Exit.SUCCEEDED
