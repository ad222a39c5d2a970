"""The database's URL is a secret: nothing that prints it prints its password."""

import pytest

from runwell.model.errors import InvalidInput
from runwell.settings import read_settings
from runwell.storage.postgres_url import DatabaseUrl


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ann:hunter2@db.example:5432/runs", "postgresql://ann@db.example:5432/runs"),
        ("postgres://ann:hunter2@db.example/runs?sslmode=require&password=hunter2", "postgres://ann@db.example/runs"),
        ("postgresql://ann:hunter2@[::1]:5432/runs", "postgresql://ann@[::1]:5432/runs"),
        ("postgresql://ann:hunter2@one:1,two:2/runs", "postgresql://ann@one:1,two:2/runs"),
        ("postgresql://ann:hunter2@hunter2@db/runs", "postgresql://ann@db/runs"),
        ("postgresql://db/runs", "postgresql://db/runs"),
        ("postgresql:///runs?host=/run/postgresql", "postgresql:///runs"),
    ],
)
def test_it_is_shown_without_its_password(text: str, shown: str) -> None:
    url = DatabaseUrl(text)
    assert (str(url), repr(url), url.secret) == (shown, repr(shown), text)
    assert "hunter2" not in f"{url} {url!r} {read_settings(environ={'RUNWELL_DATABASE_URL': text})}"


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "mysql://ann:hunter2@db/runs",
        "postgresql://ann:hunter2/more@db/runs",  # its password must be encoded
        "postgresql://ann:hunter2@db:port/runs",
        "postgresql://[hunter2/runs",
    ],
)
def test_what_cannot_be_read_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        DatabaseUrl(text)
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_two_are_equal_when_their_texts_are() -> None:
    one, other = DatabaseUrl("postgresql://a:x@db/runs"), DatabaseUrl("postgresql://a:y@db/runs")
    assert one == DatabaseUrl(one.secret)
    assert hash(one) == hash(DatabaseUrl(one.secret))
    assert one != other


def test_without_the_variable_it_is_sqlite() -> None:
    assert read_settings(environ={}).database_url is None
    assert read_settings(environ={"RUNWELL_DATABASE_URL": ""}).database_url is None
