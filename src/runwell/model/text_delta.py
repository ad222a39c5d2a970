"""What a model writes, told live and kept nowhere."""

import msgspec


class Delta(msgspec.Struct, frozen=True):
    """A piece of text that a model just wrote."""

    run_id: str
    step_id: str
    attempt: int
    text: str
