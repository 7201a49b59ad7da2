"""Which addresses a document may make this machine talk to."""

from __future__ import annotations

import ipaddress

import pytest

from governance.door import Barred, Unreachable, addresses_of, networks_of, plain_host
from governance.reachable import is_public
from tests.delivery.dns.zone import name_server
from tests.tables import over

INSIDE = (
    "127.0.0.1 0.0.0.0 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.1.1 198.18.0.1 224.0.1.5 240.0.0.1 255.255.255.255 "
    "192.0.0.1 192.0.2.1 192.88.99.1 ::1 :: ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:0:7f00:1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b:: "
    "64:ff9b:1::808:808 2002:7f00:1:: 2001:0:7f00:1:: 2001:db8::1 fe80::1 fc00::1 fd12::1 fec0::1 ff02::1"
).split()
OUTSIDE = "8.8.8.8 203.0.112.1 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::".split()


def test_public_is_what_is_public_in_whatever_form() -> None:
    assert [each for each in INSIDE if is_public(ipaddress.ip_address(each))] == []
    assert [each for each in OUTSIDE if not is_public(ipaddress.ip_address(each))] == []


@over("host", "127.1 2130706433 0x7f000001 017700000001 0177.0.0.1 0 1.2.3 fe80::1%lo ex%61mple.com a..b -a.com x.0x7f ①.① [::1".split())
def test_a_host_in_an_unusual_form_is_none(host: str) -> None:
    with pytest.raises(Unreachable):
        plain_host(host)


def test_networks_inside_are_reached_where_they_are_named() -> None:
    with pytest.raises(Barred):
        addresses_of("127.0.0.1", allowed=())
    allowed = networks_of("127.0.0.0/8, fd00::/8")
    assert [str(each) for each in addresses_of("localhost", allowed=allowed)] == ["127.0.0.1"]
    assert [str(each) for each in addresses_of("[::ffff:127.0.0.1]", allowed=allowed)] == ["::ffff:7f00:1"]
    with pytest.raises(Barred):
        addresses_of("10.0.0.1", allowed=allowed)
    with pytest.raises(ValueError, match=r"such as 10\.20"):
        networks_of("10.0.0.1/8")


def test_a_name_that_also_leads_inside_is_not_reached_at_all() -> None:
    zone = {"A out.example.com": ["8.8.8.8"], "A both.example.com": ["8.8.8.8", "10.0.0.1"], "AAAA six.example.com": ["::1"]}
    with name_server({**zone, "A slow.example.com": ["!timeout"]}) as (server, _):
        assert [str(each) for each in addresses_of("out.example.com", allowed=(), servers=server)] == ["8.8.8.8"]
        for name in ("both.example.com", "six.example.com"):
            with pytest.raises(Barred):
                addresses_of(name, allowed=(), servers=server)
        with pytest.raises(Unreachable, match="without an address"):
            addresses_of("none.example.com", allowed=(), servers=server)
        with pytest.raises(Unreachable, match="don't answer"):
            addresses_of("slow.example.com", allowed=(), servers=server, seconds=0.3)
