"""What a model call, a step or a run used."""

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens and calls. Sums with `+`; the cost is in billionths of a US dollar (nanos)."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    generations: int = 0
    cost_nanos: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            generations=self.generations + other.generations,
            cost_nanos=self.cost_nanos + other.cost_nanos,
        )


NO_USAGE = Usage()


def usd(nanos: int) -> str:
    """Return billionths of a US dollar as a decimal string in dollars."""
    return _decimal(nanos, 9)


def credits(micro: int) -> str:
    """Return millionths of a credit as a decimal string in credits."""
    return _decimal(micro, 6)


def _decimal(number: int, places: int) -> str:
    """Return the number with its last `places` digits behind the point, without trailing zeros."""
    whole, part = divmod(number, 10**places)
    return f"{whole}.{part:0{places}d}".rstrip("0") if part else str(whole)
