"""The address policy: every special-purpose block is refused, public addresses pass, the operator can allow networks."""

import pytest

from runwell.adapters.addresses import IPV4_BLOCKS, IPV6_BLOCKS, AddressPolicy
from runwell.model.errors import InvalidInput

REFUSED = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254"),
    *("169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1"),
    *("192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.255", "192.31.196.1", "192.52.193.1", "192.175.48.1"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::7f00:1"),
    *("100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "5f00::1", "4000::1", "1fff::1"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff::1", "2001:db8::1"),
    *("2002:7f00:1::1", "2002:808:808::1", "2620:4f:8000::1", "3fff::1", "3fff:fff::1"),
    *("2606:4700::1%eth0", "not an address", "", "127.1", "0177.0.0.1"),
]
PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1"),
    *("172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"),
    *("2000::1", "2001:200::1", "2001:4860:4860::8888", "2606:4700:4700::1111", "2a00:1450:4001::1", "3ffe::1"),
]


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public_unicast_is_refused(address: str) -> None:
    assert AddressPolicy().refusal(address) is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert AddressPolicy().refusal(address) is None


def test_the_whole_of_each_block_is_refused() -> None:
    blocks = [block for block, _ in IPV4_BLOCKS] + [block for block, _ in IPV6_BLOCKS]
    ends = [str(address) for block in blocks for address in (block[0], block[-1])]
    assert [address for address in ends if AddressPolicy().refusal(address) is None] == []


def test_the_refusal_says_what_the_address_is() -> None:
    assert AddressPolicy().refusal("127.0.0.1") == "loopback"
    assert "metadata" in str(AddressPolicy().refusal("169.254.169.254"))


def test_the_operator_allows_networks() -> None:
    policy = AddressPolicy(["127.0.0.1/32", "10.1.0.0/16", "fd12::/16", "::1/128"])
    assert [policy.refusal(address) for address in ("127.0.0.1", "10.1.2.3", "fd12::1", "::1")] == [None] * 4
    assert all(policy.refusal(address) for address in ("127.0.0.2", "10.2.0.1", "fd13::1", "::2"))


def test_no_setting_allows_embedded_ipv4_addresses() -> None:
    policy = AddressPolicy(["::/0", "0.0.0.0/0"])
    assert policy.refusal("fe80::1") is None
    assert all(policy.refusal(address) for address in ("::ffff:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1"))


@pytest.mark.parametrize("entry", ["localhost", "10.0.0.1/8", "10.0.0.0/33", ""])
def test_an_entry_that_is_no_network_is_named(entry: str) -> None:
    with pytest.raises(InvalidInput, match=f"{entry!r} is not a network"):
        AddressPolicy([entry])
