"""A throw-away PostgreSQL from the system's package: its own directory, port and password, gone with the tests.

Each test has a schema of its own in one database, which costs a millisecond; a database of its own costs fifty.
"""

import asyncio
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg

from runwell.storage.postgres_url import DatabaseUrl

PASSWORD: Final = "s3cret/pass word"  # with what must be percent-encoded
_QUOTED: Final = "s3cret%2Fpass%20word"
_OPTIONS: Final = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "listen_addresses": "127.0.0.1",
    "autovacuum": "off",
}


def binaries() -> Path | None:
    """Return the directory of the newest installed server; None when there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    on_path = shutil.which("postgres")
    found += [Path(on_path).parent] if on_path else []
    return max(found, key=lambda path: [int(part) for part in path.parent.name.split(".") if part.isdigit()], default=None)


class PostgresServer:
    """One server. It refuses to be root, so root runs it as the user `postgres`."""

    def __init__(self, programs: Path, directory: Path) -> None:
        self._programs, self._directory = programs, directory
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self.port = _free_port()

    def create(self) -> None:
        secret = self._directory / "password"
        secret.write_text(PASSWORD)
        if os.getuid() == 0:
            shutil.chown(secret, "postgres")
        given = ["--username=runwell", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]
        command = [str(self._programs / "initdb"), "-D", str(self._directory / "data"), *given]
        subprocess.run(self._demoted(command), check=True, stdout=subprocess.DEVNULL, cwd=self._directory, timeout=60)

    def start(self) -> None:
        options = [f"--{name}={value}" for name, value in _OPTIONS.items()]
        places = ["-D", str(self._directory / "data"), "-k", str(self._directory), "-p", str(self.port)]
        with (self._directory / "log").open("ab") as log:
            command = self._demoted([str(self._programs / "postgres"), *places, *options])
            self._process = subprocess.Popen(command, cwd=self._directory, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, (self._directory / "log").read_text()[-4_000:]
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            time.sleep(0.05)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it: sessions are ended; `at_once` as by a power cut, without a last word or checkpoint."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._process.wait(60)
            self._process = None

    @property
    def base_url(self) -> str:
        return f"postgresql://runwell:{_QUOTED}@127.0.0.1:{self.port}/postgres"

    def url(self, schema: str = "public", database: str = "postgres") -> DatabaseUrl:
        options = f"?options=-csearch_path%3D{schema}"
        return DatabaseUrl(f"postgresql://runwell:{_QUOTED}@127.0.0.1:{self.port}/{database}{options}")

    def new_schema(self) -> DatabaseUrl:
        """Return the URL of an empty schema; call it outside of a running loop."""
        schema = f"test_{next(self._numbers)}"
        self.execute(f"CREATE SCHEMA {schema}")
        return self.url(schema)

    def execute(self, sql: str, url: DatabaseUrl | None = None) -> None:
        asyncio.run(query(url or self.url(), sql))

    def _demoted(self, command: Sequence[str]) -> list[str]:
        """The server ends with us, however we end; and runs as `postgres` when we are root."""
        user = ["--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
        return ["setpriv", *user, "--pdeathsig=INT", *command]

    def _answers(self) -> bool:
        program = str(self._programs / "pg_isready")
        command = [program, "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0


async def query(url: DatabaseUrl, sql: str, *values: object) -> list[Any]:
    """Return what a statement returns, over a connection of its own."""
    connection = await asyncpg.connect(url.secret)
    try:
        return [tuple(row) for row in await connection.fetch(sql, *values)]
    finally:
        await connection.close()


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Make, start and at the end remove a server."""
    programs = binaries()
    assert programs is not None, "these tests need PostgreSQL's server: apt-get install postgresql"
    directory = Path(tempfile.mkdtemp(prefix="runwell-pg-"))
    if os.getuid() == 0:
        shutil.chown(directory, "postgres", "postgres")
    server = PostgresServer(programs, directory)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.stop(at_once=True)  # nobody wants a checkpoint of what is removed
        shutil.rmtree(directory, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
