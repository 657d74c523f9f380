"""Parsing of host names and addresses in requests and flags."""

from __future__ import annotations

import ipaddress
import re

__all__ = ["authority", "is_loopback", "plain"]

AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@?#\[\]]+)(?::([0-9]{1,5})?)?")


def authority(text: str) -> tuple[str, int | None] | None:
    """Host and port of a Host header; None where it is malformed."""
    found = AUTHORITY.fullmatch(text.strip())
    return (plain(found[1]), int(found[2]) if found[2] else None) if found else None


def plain(name: str) -> str:
    """A host name in lower case; an address in its shortest form, IPv4 within IPv6 as IPv4."""
    name = name.strip().strip("[]").lower().removesuffix(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    return str(getattr(address, "ipv4_mapped", None) or address)


def is_loopback(name: str) -> bool:
    """True for a loopback name or address."""
    try:
        return ipaddress.ip_address(plain(name)).is_loopback
    except ValueError:
        return plain(name) == "localhost"
