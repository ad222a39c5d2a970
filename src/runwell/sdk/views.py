"""`client.views`."""

from collections.abc import Sequence

from runwell.model.saved_views import SavedView, Visibility
from runwell.sdk.faces import Awaiting, Listing, Resource, Waiting, listing, operation
from runwell.sdk.flow import Flow, ask, tell
from runwell.sdk.request import request


class _Operations(Resource):
    @listing
    def list(self, *, limit: int = 50) -> Listing[SavedView]:
        """Return the views that one sees, oldest first: one's own, and those that others share."""
        return Listing(request("GET", "views", query={"limit": limit}), SavedView)

    @operation
    def create(
        self,
        name: str,
        query: str = "",
        *,
        columns: Sequence[str] = (),
        sort: Sequence[str] = (),
        visibility: Visibility = "private",
        default: bool = False,
    ) -> Flow[SavedView]:
        """Keep a search under a name. Raises `Refused` when one has a view of this name."""
        body = _body(name, query, columns, sort, visibility, default)
        return ask(self._connection, request("POST", "views", body=body), SavedView)

    @operation
    def get(self, view_id: str) -> Flow[SavedView]:
        """Return one view."""
        return ask(self._connection, request("GET", "views", view_id), SavedView)

    @operation
    def replace(
        self,
        view_id: str,
        name: str,
        query: str = "",
        *,
        revision: int | None = None,
        columns: Sequence[str] = (),
        sort: Sequence[str] = (),
        visibility: Visibility = "private",
        default: bool = False,
    ) -> Flow[SavedView]:
        """Replace a view whole: the one of this `revision`, or whichever it is. Raises `Outdated` when somebody was quicker."""
        body = _body(name, query, columns, sort, visibility, default)
        asked = request("PUT", "views", view_id, body=body, if_match="*" if revision is None else f'"{revision}"')
        return ask(self._connection, asked, SavedView)

    @operation
    def delete(self, view_id: str) -> Flow[None]:
        """Delete a view of one's own."""
        return tell(self._connection, request("DELETE", "views", view_id))


def _body(
    name: str, query: str, columns: Sequence[str], sort: Sequence[str], visibility: Visibility, default: bool
) -> dict[str, str | bool | list[str]]:
    return {
        "name": name,
        "query": query,
        "columns": [*columns],
        "sort": [*sort],
        "visibility": visibility,
        "default": default,
    }


class Views(_Operations, Waiting):
    """Searches that are kept."""


class AsyncViews(_Operations, Awaiting):
    """Searches that are kept."""
