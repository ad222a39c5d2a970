"""The key under which stored secrets are sealed."""

import base64
import binascii
import hashlib

from runwell.model.errors import InvalidInput

_HINT = 'make one with: python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'


class SecretKey:
    """32 bytes that show nowhere. `id` tells keys apart and says nothing about them."""

    def __init__(self, content: bytes) -> None:
        assert len(content) == 32
        self.content = content
        self.id = hashlib.sha256(b"runwell secret key id\0" + content).digest()[:8]

    @classmethod
    def read(cls, text: str, where: str) -> "SecretKey":
        """Return the key that is written in base64. Raises `InvalidInput`, which names `where` it stands and not what."""
        try:
            content = base64.b64decode(text.strip().replace("-", "+").replace("_", "/").encode(), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            content = b""
        if len(content) != 32:
            raise InvalidInput(f"{where} is no key: it should be 32 bytes in base64", hint=_HINT)
        return cls(content)

    @property
    def text(self) -> str:
        return base64.b64encode(self.content).decode()

    def __repr__(self) -> str:
        return f"SecretKey({self.id.hex()})"
