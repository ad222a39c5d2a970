"""The pages behind one-time links: safe to show, and nothing that a link carries is written into them."""

import re
from pathlib import Path

import pytest
from tests.contract.samples import run
from tests.unit.access.server import opened


@pytest.mark.parametrize("path", ["/setup", "/password"])
def test_a_page_runs_only_its_own_script_and_sends_nothing_elsewhere(tmp_path: Path, path: str) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            client = server.client()
            first, second = [await client.get(f"{path}?token=<script>alert(1)</script>") for _ in range(2)]
            assert first.status_code == 200
            assert first.headers["content-type"].startswith("text/html")
            nonces = [re.findall(r'<script nonce="([^"]+)">', page.text) for page in (first, second)]
            assert [len(found) for found in nonces] == [1, 1]
            assert nonces[0] != nonces[1]
            policy = first.headers["content-security-policy"]
            assert f"script-src 'nonce-{nonces[0][0]}';" in policy
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert first.headers["referrer-policy"] == "no-referrer"
            assert "alert(1)" not in first.text
            assert "http" not in first.text.replace("http-equiv", "")

    run(main())
