"""Runs that wait for another one with the same key, which is under way.

The first run with a key leads; those that come after it, and are asked to, wait for it: queued, with no place of their own. When
it has ended they are given its output or, if it has none to give, the first of them takes over and leads the others. Nothing of
this is kept: after a restart the runs that live come together again as they are taken up.

A run waits only if nobody waits for it: child runs never do. So no two can wait for each other.
"""

from collections import Counter


class Flights:
    """All in memory; one process owns the journal and carries all of its runs. `landed` counts the leaders that ended."""

    def __init__(self) -> None:
        self.landed = 0
        self._leaders: dict[str, str] = {}
        self._followers: dict[str, dict[str, str]] = {}
        self._keys: dict[str, str] = {}
        self._by_project: Counter[str] = Counter()

    def lead(self, key: str, run_id: str) -> None:
        """Let the run lead, if none does yet. Nothing for one without a key."""
        if key and key not in self._leaders:
            self._leaders[key] = run_id
            self._keys[run_id] = key

    def leader(self, key: str) -> str:
        """Return the run that leads; empty for none."""
        return self._leaders.get(key, "")

    def is_led(self, key: str, run_id: str = "") -> bool:
        """Whether another run with the key is under way."""
        return self._leaders.get(key, run_id) != run_id

    def follow(self, key: str, run_id: str, project_id: str) -> None:
        """Let the run wait for the one that leads."""
        if run_id not in self._keys:
            self._keys[run_id] = key
            self._by_project[project_id] += 1
        self._followers.setdefault(key, {})[run_id] = project_id

    def waiting_in(self, project_id: str) -> int:
        """Return how many runs of the project wait for another."""
        return self._by_project[project_id]

    def over(self, run_id: str) -> tuple[str, list[str]]:
        """Take note that the run has ended. If it led, return its key and those that waited for it, who now lead and follow nobody."""
        key = self._keys.pop(run_id, "")
        followers = self._followers.get(key, {})
        if self._leaders.get(key) != run_id:
            self._release(followers, run_id)
            return "", []
        del self._leaders[key]
        self.landed += 1
        waiting = list(followers)
        for follower in waiting:
            self._release(followers, follower)
            del self._keys[follower]
        self._followers.pop(key, None)
        return key, waiting

    def _release(self, followers: dict[str, str], run_id: str) -> None:
        project_id = followers.pop(run_id, None)
        if project_id is not None:
            self._by_project[project_id] -= 1
