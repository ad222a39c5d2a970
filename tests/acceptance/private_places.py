"""Addresses that a server must not be sent to, however they are written. `{port}` is where the canary listens."""

from typing import Final

SPELLED: Final = (
    *(
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7F.0x0.0x0.0x1",
        "0177.0.0.01",
        "127.0x0.0.1",
        "0177.1",
    ),
    *("00000177.0.0.1", "0x7f.1", "127.000.000.001", "0", "0.0.0.0", "0x0", "00", "127.255.255.254", "127.0.0.3", "localhost", "LOCALHOST"),
    *("localhost.", "127.0.0.1.", "127.1.", "ip6-localhost", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1"),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000:0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]"),
    *(
        "[::127.0.0.1]",
        "[::7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2002:7f00:0001::1]",
    ),
    *("[2001:0:7f00:1::]", "[2001:0:53aa:64c:0:fbff:80ff:fffe]", "[::ffff:0:127.0.0.1]", "[fec0::1]", "[100::1]", "[5f00::1]"),
    *("169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"),
    *("[fe80::1]", "[fc00::1]", "[fd00::2]", "[ff02::1]", "100.100.100.200", "192.0.0.192", "10.0.0.1", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "100.64.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "203.0.113.1", "[2001:db8::1]"),
)
"""Hosts that are private, however written."""

TRICKS: Final = (
    *(
        "http://example.com@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@example.com/",
        "http://user:pass@127.0.0.1:{port}/",
        "http://@127.0.0.1:{port}/",
    ),
    *("http://127.0.0.1:{port}\\@example.com/", "http://example.com\\@127.0.0.1:{port}/", "http://127.0.0.1:{port}#@example.com/"),
    *(
        "http://127.0.0.1:{port}?@example.com/",
        "http:\\\\127.0.0.1:{port}\\",
        "http:/127.0.0.1:{port}/",
        "http:127.0.0.1:{port}",
        "http:///127.0.0.1:{port}/",
    ),
    *("//127.0.0.1:{port}/", "127.0.0.1:{port}/", " http://127.0.0.1:{port}/", "http://127.0.0.1:{port}/ ", "ht\ttp://127.0.0.1:{port}/"),
    *(
        "http://127.0.0.1\t:{port}/",
        "http://127.0.0.1%00.example.com:{port}/",
        "http://127.0.0.1%20.example.com:{port}/",
        "http://127.0.0.1%2eexample:{port}/",
    ),
    *(
        "http://１２７.０.０.１:{port}/",
        "http://①②⑦.⓪.⓪.①:{port}/",
        "http://𝟏𝟐𝟕.𝟎.𝟎.𝟏:{port}/",
        "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
        "http://loc\u00adalhost:{port}/",
    ),
    *(
        "http://ｌｏｃａｌｈｏｓｔ:{port}/",
        "http://xn--localhost-:{port}/",
        "http://xn--n3h.127.0.0.1:{port}/",
        "http://[::1%25lo]:{port}/",
        "http://[::1%lo]:{port}/",
    ),
    *(
        "http://[::ffff:127.0.0.1%25lo]:{port}/",
        "http://[fe80::1%25eth0]:{port}/",
        "http://[v1.127.0.0.1]:{port}/",
        "http://[127.0.0.1]:{port}/",
    ),
    *(
        "http://127.0.0.1:0{port}/",
        "http://127.0.0.1:+{port}/",
        "http://127.0.0.1:{port}{port}/",
        "http://127.0.0.1:-1/",
        "http://127.0.0.1:²/",
        "http://127.0.0.1:/",
    ),
    *(
        "HTTP://127.0.0.1:{port}/",
        "https://127.0.0.1:{port}/",
        "http://%31%32%37.0.0.1:{port}/",
        "http://%6c%6f%63%61%6c%68%6f%73%74:{port}/",
    ),
    *(
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        "file://127.0.0.1:{port}/",
        "FILE:///etc/passwd",
        "gopher://127.0.0.1:{port}/_GET",
        "ftp://127.0.0.1:{port}/",
    ),
    *(
        "dict://127.0.0.1:{port}/",
        "ldap://127.0.0.1:{port}/",
        "tftp://127.0.0.1:{port}/",
        "ws://127.0.0.1:{port}/",
        "unix:///run/docker.sock",
        "data:text/plain,x",
    ),
    *(
        "jar:http://127.0.0.1:{port}!/",
        "netdoc:///etc/passwd",
        "javascript:fetch('/')",
        "http+unix://%2frun%2fdocker.sock/",
        "url:http://127.0.0.1:{port}/",
        "",
        ":",
        "http://",
    ),
)
"""Whole URLs, most of which two readers take for different places."""

LED: Final = (
    *(
        "http://127.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://2130706433:{port}/",
        "http://localhost:{port}/",
        "//127.0.0.1:{port}/",
        "//[::1]:{port}",
    ),
    *(
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://0.0.0.0:{port}/",
        "http://0:{port}/",
    ),
    *(
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
        "ftp://127.0.0.1:{port}/",
        "http://a:b@127.0.0.1:{port}/",
        "\\\\127.0.0.1:{port}\\",
        "http://127.0.0.3:{port}/",
    ),
    *("hTTp:\\\\127.0.0.1:{port}/", "http:127.0.0.1:{port}", "http://127.0.0.1:{port}#x", "data:,x", "javascript:x"),
)
"""Where redirects lead."""

NO_ADDRESS: Final = ("the URL is not valid", "the URL names no host", "does not resolve", "only http and https are possible")
"""Said of what is no URL at all, or a name of nobody."""

INSIDE: Final = (
    "127.0.0.1",
    "::1",
    "0.0.0.0",
    "::",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "fe80::1%lo",
    "169.254.169.254",
    "10.0.0.1",
    "fd00:ec2::254",
    "2002:7f00:1::",
)
"""What names resolve to that lead inside."""
