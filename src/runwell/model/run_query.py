"""A search for runs, read: a tree of conditions. The language itself is in `runwell.search`."""

from typing import Literal

import msgspec

Operator = Literal["is", "is_not", "contains", "not_contains", "gt", "gte", "lt", "lte", "before", "after", "between", "empty", "not_empty"]

FieldType = Literal["string", "number", "integer", "boolean", "date", "array_length"]

Value = str | int | float | bool
"""Dates are ms since 1970 UTC; relative ones were made absolute when the query was read."""


class Words(msgspec.Struct, frozen=True, tag_field="node", tag="words"):
    """Free text: the run's texts hold these words, next to each other and in this order. `is_prefix`: the last word may go on."""

    words: tuple[str, ...]
    is_prefix: bool = False


class Compare(msgspec.Struct, frozen=True, tag_field="node", tag="compare"):
    """A condition on a field. `field` is its full name (`status`, `input.ticket.lang`, `output.items[].name`, `step.refund.status`).

    Several values mean any of them, but for `between`, which takes the lowest and the highest, both included.
    `type` None: any that the value fits; a text that ends in `*` then stands for all that begin so.

    Dates and durations are ms, costs US dollars; statuses are those of `RunStatus`, ids in their shown form.
    """

    field: str
    operator: Operator
    values: tuple[Value, ...] = ()
    type: FieldType | None = None


class Not(msgspec.Struct, frozen=True, tag_field="node", tag="not"):
    of: "Query"


class All(msgspec.Struct, frozen=True, tag_field="node", tag="all"):
    """Every one holds; without any, all runs."""

    of: "tuple[Query, ...]" = ()


class AnyOf(msgspec.Struct, frozen=True, tag_field="node", tag="any"):
    """At least one holds."""

    of: "tuple[Query, ...]"


Query = Words | Compare | Not | All | AnyOf

EVERYTHING = All()
