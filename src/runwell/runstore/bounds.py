"""What the run store may take of the machine."""

from typing import Any, Final

import msgspec

_MIB: Final = 1 << 20


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """`memory_mb`: of the engine in this process; a single query takes half of it at most. `threads`: of one query.

    `query_s`: how long a query may take. `connections`: how many are worked on at once.
    """

    memory_mb: int = 2_048
    threads: int = 2
    query_s: int = 10
    connections: int = 3

    def of_engine(self) -> dict[str, Any]:
        """Return the options with which the engine starts. On a server, its administrator decides."""
        return {
            "max_server_memory_usage": self.memory_mb * _MIB,
            "max_thread_pool_size": 128,
            "background_pool_size": 1,
            "background_schedule_pool_size": 2,
            "background_common_pool_size": 2,
            "background_fetches_pool_size": 1,
            "background_move_pool_size": 1,
            "background_distributed_schedule_pool_size": 1,
            "background_buffer_flush_schedule_pool_size": 1,
            "background_message_broker_schedule_pool_size": 1,
            "mark_cache_size": 64 * _MIB,
            "uncompressed_cache_size": 0,
        }

    def of_query(self) -> dict[str, Any]:
        """Return the settings of every query."""
        return {
            "max_threads": self.threads,
            "max_insert_threads": 1,
            "max_execution_time": self.query_s,
            "max_memory_usage": self.memory_mb * _MIB // 2,
            "max_partitions_per_insert_block": 0,
            "do_not_merge_across_partitions_select_final": 1,  # created_at decides the partition, and never changes
        }
