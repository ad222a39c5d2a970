"""What nobody should send: strings, JSON and headers of our own making, drawn with a seed."""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

STRINGS: Final[tuple[str, ...]] = (
    *("", " ", "\t", "\n", "\r\n", "\0", "a\0b", "\x01\x02", "\x7f", "\x80\x9f", "\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff"),
    *(
        "\ud800",
        "\udfff",
        "a\udc00b",
        "\ud83d",
        "\U0010ffff",
        "👩‍👩‍👧‍👦",
        "🏳️‍🌈",
        "é",
        "e\u0301",
        "ß",
        "İ",
        "ı",
        "ﷺ",
        "Ω≈ç√",
        "田中さん",
        "表ポあA鷗",
    ),
    *("\u202e\u202dtxt.exe", "\u200b", "\u200f\u200e", "مرحبا", "שלום", "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮", "１２３", "٣", "²", "½", "Ⅷ", "①", "𝟙"),
    *("undefined", "null", "None", "NaN", "Infinity", "-Infinity", "true", "false", "nil", "(null)", "\\N", "hasOwnProperty", "__proto__"),
    *(
        "constructor",
        "__class__",
        "__init__.__globals__",
        "{{7*7}}",
        "${7*7}",
        "#{7*7}",
        "<%= 7*7 %>",
        "{{ input }}",
        "{{ secrets.x }}",
        "{%if",
    ),
    *(
        "{{",
        "}}",
        "{{{{",
        "{{ }}",
        "{{ 1 / 0 }}",
        "{{ input.",
        "%s%s%s%n",
        "%x",
        "%d",
        "{0}",
        "{}",
        "{0.__class__}",
        "%(a)s",
        "\\",
        "\\u0000",
        "\\x00",
    ),
    *(
        "'",
        '"',
        "';",
        "' OR '1'='1",
        "1; DROP TABLE run;--",
        "' UNION SELECT * FROM api_key--",
        '") OR 1=1 --',
        "1' AND sleep(5)--",
        "%",
        "_",
        "%%%",
    ),
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "<!--",
        "]]>",
        "<![CDATA[",
        "&lt;",
        "&#0;",
        "<svg/onload=1>",
    ),
    *(
        "../../etc/passwd",
        "..\\..\\windows",
        "/etc/passwd",
        "%2e%2e%2f",
        "....//",
        "file:///etc/passwd",
        "C:\\con",
        "\\\\host\\share",
        "~root",
        "-rf",
    ),
    *(
        "`id`",
        "$(id)",
        "|id",
        ";id",
        "&& id",
        "\r\nSet-Cookie: a=b",
        "a\r\n\r\nb",
        "() { :;}; echo",
        "!!python/object/apply:os.system [id]",
        "&a [*a]",
    ),
    *(
        "0",
        "-1",
        "-0",
        "1e309",
        "1e-400",
        "0x10",
        "0o17",
        "1_000",
        "+1",
        "1.",
        ".5",
        "9" * 400,
        "9223372036854775808",
        "-9223372036854775809",
    ),
    *("2147483648", "4294967296", "18446744073709551616", "1.0", "١", "1e5", "00", "0" * 5_000, "9" * 5_000, "1/3", "1,5", "١٢٣"),
    *("a" * 10_000, "é" * 5_000, "a." * 500, "[" * 500, "(" * 500, "/" * 300, ";" * 100, "=" * 100, "a" * 201, "a" * 64, "a" * 65),
    *(
        "run_",
        "wf_",
        "run_zz",
        "run_" + "0" * 32,
        "run_" + "f" * 31,
        "RUN_" + "0" * 32,
        "{" + "0" * 32 + "}",
        "urn:uuid:" + "0" * 32,
        "0" * 24,
        "g" * 24,
    ),
    *(
        "0000-00-00T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "2026-02-30T00:00:00Z",
        "1970-01-01",
        "now",
        "-0001-01-01T00:00:00Z",
        "2026-01-01T00:00:00+99:99",
    ),
    *(
        "con",
        "aux",
        "nul.txt",
        ".",
        "..",
        "...",
        "-",
        "--",
        "*",
        "?",
        "a b",
        "a/b",
        "a%2Fb",
        "a%00b",
        "%ff",
        "%c0%af",
        "%u0041",
        "a#b",
        "a?b",
        "a&b=c",
    ),
    *(
        '"1"',
        'W/"1"',
        '"',
        '""',
        '"1',
        "*",
        '*, "1"',
        '"99999999999999999999"',
        '"²"',
        ",",
        ",,,",
        '"1",' * 100,
        "latest",
        "active",
        "draft",
        "-latest",
    ),
    *("YTpydW5fMDA=", "YTo", "====", "Ym9ndXM", "eyJhIjoxfQ", "bnVsbA", "W10", "e30", "/wD/", "_wD_", "YQ", "AAAA", "gICAgA", "MTIz"),
)

NUMBERS: Final[tuple[str, ...]] = (
    *("0", "-0", "-1", "1", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775809"),
    *(
        "18446744073709551616",
        "1e400",
        "-1e400",
        "1e-400",
        "1.5",
        "0.1",
        "1E+2",
        "9" * 300,
        "9" * 4_301,
        "-" + "9" * 5_000,
        "1" + "0" * 1_000,
    ),
    *("NaN", "Infinity", "-Infinity", "01", "+1", "1.", ".5", "0x1", "1e", "--1"),
)
"""As they stand in JSON, which some of them are not."""

CONTENT_TYPES: Final = (
    *("application/json", "application/json", "application/json", "application/json; charset=utf-16", "application/json; charset=klingon"),
    *("application/yaml", "text/yaml", "text/plain", "application/xml", "multipart/form-data", "multipart/form-data; boundary=x", ""),
    *("application/x-www-form-urlencoded", "application/octet-stream", "application/vnd.api+json", "application/json;;;", "/", "a" * 5_000),
    *("application/JSON", "application/problem+json", "application/yaml; charset=utf-16", "\xff/\xff", "application/x-yaml"),
)

HEADERS: Final = (
    *(
        "If-Match",
        "If-None-Match",
        "Idempotency-Key",
        "X-Request-Id",
        "Last-Event-Id",
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Origin",
    ),
    *(
        "Cookie",
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Expect",
        "Range",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "Referer",
    ),
    *(
        "X-Http-Method-Override",
        "X-Csrf-Token",
        "Content-Encoding",
        "Upgrade",
        "Connection",
        "Te",
        "Trailer",
        "User-Agent",
        "X-" + "a" * 500,
    ),
)

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 100)


class Naughty:
    """Draws from a seed: the same seed, the same requests."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def text(self) -> str:
        one = self.random.choice(STRINGS)
        return one if self.random.random() < 0.8 else one + self.random.choice(STRINGS)

    def header_bytes(self) -> bytes:
        return self.text().encode("utf-8", "surrogatepass").replace(b"\r", b"").replace(b"\n", b"")[:9_000]

    def json(self, depth: int = 2) -> str:
        """Return JSON text, or what looks like it."""
        kinds: list[Callable[[], str]] = [
            lambda: json.dumps(self.text()),
            lambda: json.dumps(self.text()),
            lambda: self.random.choice(NUMBERS),
            lambda: self.random.choice(("null", "true", "false", "[]", "{}", "[[]]", '{"":{}}', '""')),
        ]
        if depth:
            kinds += [lambda: self.array(depth), lambda: self.object(depth)]
        return self.random.choice(kinds)()

    def array(self, depth: int) -> str:
        return "[" + ",".join(self.json(depth - 1) for _ in range(self.random.randrange(4))) + "]"

    def object(self, depth: int) -> str:
        fields = [f"{json.dumps(self.text())}:{self.json(depth - 1)}" for _ in range(self.random.randrange(4))]
        return "{" + ",".join(fields + fields[:1]) + "}"

    def deep(self) -> str:
        levels = self.random.choice((99, 101, 500, 2_000, 10_000))
        inner, opening, closing = self.random.choice((("1", "[", "]"), ("1", '{"a":', "}"), ("", "[", ""), ('"x"', '[{"document":', "}]")))
        return opening * levels + inner + closing * levels

    def mutated(self, body: Any) -> str:
        """Return the sound body with something of it changed, doubled, taken away or of another type."""
        if not isinstance(body, dict) or self.random.random() < 0.1:
            return self.json(3)
        fields = {name: json.dumps(value) for name, value in body.items()}
        for _ in range(self.random.randrange(1, 3)):
            name = self.random.choice([*fields, self.text()])
            inner = body.get(name)
            fields[name] = self.mutated(inner) if isinstance(inner, dict) and self.random.random() < 0.7 else self.value()
        if self.random.random() < 0.1:
            fields.pop(self.random.choice(list(fields)))
        pairs = [f"{json.dumps(name)}:{value}" for name, value in fields.items()]
        return "{" + ",".join(pairs + (pairs[:1] if self.random.random() < 0.1 else [])) + "}"

    def value(self) -> str:
        return self.deep() if self.random.random() < 0.02 else self.json()

    def body(self, sound: Any) -> bytes:
        content = self.mutated(sound).encode("utf-8", "surrogatepass")
        match self.random.randrange(24):
            case 0:
                return content[: len(content) // 2]
            case 1:
                return content + b"\xff\xfe"
            case 2:
                return content.replace(b'"', b"\xed\xa0\x80", 1)
            case 3:
                return content.decode("utf-8", "replace").encode(self.random.choice(("utf-16", "utf-32", "utf-7")))
            case 4:
                return b"\xef\xbb\xbf" + content
            case 5:
                return self.deep().encode()
            case 6:
                return self.yaml().encode("utf-8", "surrogatepass")
            case 7:
                return self.random.randbytes(self.random.randrange(200))
        return content

    def yaml(self) -> str:
        return self.random.choice(
            (
                "a: &a [*a]",
                "&a {b: *a}",
                "a: &x [1,1]\nb: &y [*x,*x,*x,*x]\nc: &z [*y,*y,*y,*y]\nd: [*z,*z,*z,*z]",
                "!!python/object/apply:os.system ['id']",
                "name: x\nname: y",
                "[" * 2_000,
                "- " * 2_000,
                "? ? ? a",
                "a: 2026-13-45",
                "a: !!binary '###'",
                "a: .nan\nb: .inf\nc: 0x1F\nd: 1_000\ne: 1:30",
                "%YAML 9.9\n---\na: b",
                "a: b\n---\nc: d",
                "\t- a",
                f"name: {self.text()}",
                f"{self.text()}: 1",
                "? [a, b]\n: 1",
                "1: x\n~: y\ntrue: z",
                "<<: *none",
                "a: |\n" + " x\n" * 1_000,
            )
        )

    def headers(self) -> dict[str, bytes]:
        chosen = self.random.sample(HEADERS, self.random.choice((0, 0, 0, 1, 1, 2)))
        return {name: self.header_bytes() for name in chosen}

    def query(self, known: Mapping[str, str], names: list[str]) -> list[tuple[str, str]]:
        pairs = list(known.items())
        for name in names:
            if self.random.random() < 0.4:
                pairs.append((name, self.text()))
        if self.random.random() < 0.05:
            pairs += [(self.text(), self.text())] * self.random.choice((1, 2, 50))
        return pairs
