"""Addresses: only hosts that were named, only https, never into a private network, whatever way it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.addresses import LONGEST_URL, AddressRefused, AllowedHosts, is_ip_address, origin_of, resolve

HOSTS = frozenset({"files.example", ".cdn.example"})
PUBLIC = "93.184.215.14"


def leading_to(*addresses: str, extra_hosts: frozenset[str] = frozenset()) -> AllowedHosts:
    async def found(_host: str) -> list[str]:
        return list(addresses)

    return AllowedHosts(HOSTS, extra_hosts=extra_hosts, resolve=found)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://files.example/a.png", "files.example"),
        ("https://FILES.Example:443/a.png?x=1#y", "files.example"),
        ("https://files.example./a.png", "files.example"),
        ("https://files.example:8443/", "files.example"),
        ("https://a.cdn.example", "a.cdn.example"),
        ("https://a.b.cdn.example/", "a.b.cdn.example"),
    ],
)
async def test_a_host_that_was_named_may_be_asked(url: str, host: str) -> None:
    hosts = leading_to(PUBLIC)
    assert hosts.host_of(url) == host
    await hosts.check(url)


REFUSED = [
    "",
    "files.example/a.png",
    "//files.example/a.png",
    "http://files.example/a.png",
    "ftp://files.example/a.png",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://stranger.example/",
    "https://cdn.example/",
    "https://xcdn.example/",
    "https://cdn.example.stranger.example/",
    "https://files.example.stranger.example/",
    "https://afiles.example/",
    "https://ann@files.example/",
    "https://ann:secret@files.example/",
    "https://files.example@stranger.example/",
    "https://files.example\\@stranger.example/",
    "https://stranger.example#.cdn.example/",
    "https://stranger.example?.cdn.example/",
    "https://stranger.example/.cdn.example",
    "https://files.example%2estranger.example/",
    "https://files\uff0eexample/",
    "https://stranger.example\uff0f.cdn.example/",
    "https://files.example:port/",
    "https://files.example:99999/",
    "https://files.example:-1/",
    "https://files .example/",
    "https://files.example/\u00a0a",
    "https://files.example/\r\nHost: x",
    "https://files.example/\x00",
    "https://files.example/\u202e",
    "https:///a",
    "https://",
    "https://localhost/",
    "https://localhost./",
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://017700000001/",
    "https://[::1]/",
    "https://[::1",
    "https://[::ffff:127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    f"https://{PUBLIC}/",
    "https://files.example/" + "a" * LONGEST_URL,
]


@pytest.mark.parametrize("url", REFUSED)
async def test_whatever_else_is_refused_and_not_repeated(url: str) -> None:
    hosts = leading_to(PUBLIC)
    with pytest.raises(AddressRefused) as caught:
        hosts.host_of(url)
    assert "example" not in str(caught.value)
    with pytest.raises(AddressRefused):
        await hosts.check(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
    ],
)
async def test_a_name_that_leads_into_a_private_network_is_refused(address: str) -> None:
    for found in ([address], [PUBLIC, address], [address, PUBLIC]):
        with pytest.raises(AddressRefused, match="private"):
            await leading_to(*found).check("https://files.example/a.png")


@pytest.mark.parametrize("address", ["64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "ff02::1"])
async def test_a_private_address_inside_another_one_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        await leading_to(address).check("https://files.example/a.png")


async def test_a_name_that_leads_nowhere_is_refused() -> None:
    with pytest.raises((AddressRefused, OSError)):
        await leading_to().check("https://files.example/a.png")


async def test_what_the_operator_named_may_be_plain_and_private() -> None:
    hosts = leading_to("127.0.0.1", extra_hosts=frozenset({"127.0.0.1", "minio"}))
    for url in ("http://127.0.0.1:9000/a", "https://127.0.0.1/a", "http://minio/a", "http://MINIO./a"):
        await hosts.check(url)
    for url in ("ftp://minio/a", "http://ann@minio/a", "http://minio.stranger.example/", "http://127.0.0.2/"):
        with pytest.raises(AddressRefused):
            await hosts.check(url)


async def test_without_any_suffix_nothing_ends_well() -> None:
    hosts = AllowedHosts(frozenset({"files.example"}))
    for url in ("https://a.files.example/", "https://stranger.example/"):
        with pytest.raises(AddressRefused):
            hosts.host_of(url)


async def test_a_name_that_cannot_be_resolved_says_so() -> None:
    async def nobody(_host: str) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(OSError, match="no such name"):
        await AllowedHosts(HOSTS, resolve=nobody).check("https://files.example/")


async def test_this_machine_knows_itself() -> None:
    assert set(await resolve("localhost")) & {"127.0.0.1", "::1"}


@pytest.mark.parametrize("host", ["a" * 64 + ".cdn.example", "a..cdn.example", ".cdn.example"])
async def test_a_host_that_is_no_name_is_refused(host: str) -> None:
    with pytest.raises((AddressRefused, OSError)):
        await AllowedHosts(HOSTS).check(f"https://{host}/")


@given(st.text(max_size=80), st.sampled_from(["", "https://", "http://", "https://files.example", "//", "https://["]))
def test_no_text_whatever_it_is_raises_anything_else(text: str, start: str) -> None:
    hosts = AllowedHosts(HOSTS)
    try:
        host = hosts.host_of(start + text)
    except AddressRefused:
        return
    assert host == "files.example" or host.endswith(".cdn.example")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://files.example/a", ("https", "files.example", 443)),
        ("https://FILES.example:443", ("https", "files.example", 443)),
        ("http://files.example", ("http", "files.example", 80)),
        ("https://files.example:8443/a", ("https", "files.example", 8443)),
        ("https://files.example.", ("https", "files.example.", 443)),
        ("https://ann@files.example", ("https", "files.example", 443)),
        ("ftp://files.example", ("ftp", "files.example", None)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: tuple[str, str, int | None]) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize("url", ["https://files.example:port", "https://[::1", "https://a b", "https://" + "a" * 9000])
def test_nonsense_has_no_origin(url: str) -> None:
    with pytest.raises(AddressRefused):
        origin_of(url)


def test_only_whole_addresses_are_ip_addresses() -> None:
    assert all(map(is_ip_address, ("127.0.0.1", "::1", "fe80::1%eth0")))
    assert not any(map(is_ip_address, ("127.1", "2130706433", "localhost", "", "[::1]")))
