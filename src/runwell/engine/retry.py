"""When a failed attempt is made again."""

from runwell.model.step import Retry


def retry_at(policy: Retry, failures: int, now: int, jitter: float, retry_after_s: float | None) -> int:
    """Return the moment (ms) of the next attempt after the `failures`-th failure.

    Exponential backoff, capped; `jitter` (0 to 1) is the random number that picks from the
    policy's random share. The other side's `retry_after_s` lengthens the wait, up to the cap.
    """
    wait = min(policy.initial_delay_s * policy.backoff ** (failures - 1), policy.max_delay_s)
    wait *= 1 - policy.jitter * jitter
    if retry_after_s is not None:
        wait = max(wait, min(retry_after_s, policy.max_delay_s))
    return now + round(wait * 1000)
