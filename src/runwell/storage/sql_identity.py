"""Organizations, projects, users, sessions, keys and one-time tokens in SQL."""

from runwell.ports.clock import Clock
from runwell.ports.identity import Identities
from runwell.storage.sql import Sql
from runwell.storage.sql_identity_accounts import SqlAccounts
from runwell.storage.sql_identity_keys import SqlKeys
from runwell.storage.sql_identity_members import SqlMembers
from runwell.storage.sql_identity_organizations import SqlOrganizations
from runwell.storage.sql_identity_projects import Foundation
from runwell.storage.sql_identity_sessions import SqlSessions
from runwell.storage.sql_identity_tokens import SqlTokens


def sql_identities(sql: Sql, clock: Clock) -> Identities:
    """Return the identities that this database holds."""
    foundation = Foundation(sql, clock)
    return Identities(
        keys=SqlKeys(sql, clock, foundation),
        sessions=SqlSessions(sql, clock),
        tokens=SqlTokens(sql, clock),
        accounts=SqlAccounts(sql, clock, foundation),
        members=SqlMembers(sql, clock, foundation),
        organizations=SqlOrganizations(sql, clock, foundation),
    )
