"""Every property, by name."""

from collections.abc import Callable
from typing import Final

from tests.properties import machine, measure, order
from tests.properties.simulation import Record

Check = Callable[[Record], None]

CHECKS: Final[dict[str, Check]] = {
    check.__name__: check
    for check in (
        order.terminal_is_final,
        order.seq_is_gapless,
        order.dependencies_resolve_first,
        order.joins_hold,
        order.conditions_hold,
        order.disabled_steps_are_skipped,
        order.nothing_starts_while_paused,
        order.graceful_stop_starts_nothing,
        order.immediate_stop_ends_the_run,
        order.end_leaves_nothing_in_flight,
        order.resolved_steps_stay,
        order.statuses_follow_the_tables,
        order.blocked_steps_name_the_cause,
        order.failed_run_names_the_failed_step,
        measure.timers_are_never_early,
        measure.timers_fire_once,
        measure.timers_are_never_missed,
        measure.run_limit_counts_active_time_only,
        measure.attempts_are_numbered,
        measure.usage_is_the_sum_of_attempts,
        measure.approvals_are_decided_once,
        measure.messages_are_taken_once,
        measure.items_keep_their_order,
        measure.max_parallel_is_kept,
        machine.breaks_nothing,
        machine.runs_end,
        machine.never_stuck,
        machine.folding_gives_the_state,
        machine.schedule_is_pure,
        machine.commands_are_idempotent,
        machine.the_runtime_is_told,
        machine.late_outcomes_change_nothing,
        machine.iterations_end_inside_out,
    )
}


def broken(record: Record) -> dict[str, str]:
    """Return, for each property that the run breaks, how."""
    found = {}
    for name, check in CHECKS.items():
        try:
            check(record)
        except Exception as exc:
            found[name] = f"{type(exc).__name__}: {exc}"
    return found
