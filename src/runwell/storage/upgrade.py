"""Migrations by alembic, over a connection whose transaction the caller owns."""

from importlib import resources

from sqlalchemy import Connection


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run the migrations that are missing."""
    from alembic import command  # takes long to import and is needed once a release
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources.files("runwell.storage").joinpath("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
