"""Look for broken properties further than the tests do: `python -m tests.properties.search 100000 [seed]`.

Prints each broken property with the shortest strips found; `play(bytes.fromhex(...), ...)` repeats the run.
"""

import random
import sys
from collections.abc import Iterator

from tests.properties.checks import broken
from tests.properties.simulation import play


def random_runs(seed: int, count: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield strips for a document and for choices, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield chance.randbytes(chance.randint(40, 250)), chance.randbytes(chance.randint(40, 300))


def main(count: int, seed: int) -> int:
    shortest: dict[str, tuple[int, str]] = {}
    for document, choices in random_runs(seed, count):
        for name, why in broken(play(document, choices)).items():
            found = len(document) + len(choices), f"{name}: {why}\n  {document.hex()}\n  {choices.hex()}\n"
            shortest[name] = min(found, shortest.get(name, found))
    sys.stdout.write("".join(text for _, text in shortest.values()) or f"{count} runs keep every property\n")
    return 1 if shortest else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
