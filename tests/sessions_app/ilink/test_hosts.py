"""Which addresses named from outside are followed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.ilink.errors import UnsafeHostError
from sessions_app.ilink.hosts import HostPolicy

API = "https://ilinkai.weixin.qq.com"
REAL = HostPolicy(API, "https://novac2c.cdn.weixin.qq.com/c2c")
DEMO = HostPolicy("http://localhost:8000/simulator/", "http://127.0.0.1:8000/simulator/cdn")


@pytest.mark.parametrize(
    ("url", "normalised"),
    [
        (API, API),
        (f"{API}/", API),
        ("HTTPS://ILinkAI.WeiXin.QQ.com:443//", API),
        ("https://weixin.qq.com", "https://weixin.qq.com"),
        ("https://idc2.weixin.qq.com:8443/x/", "https://idc2.weixin.qq.com:8443/x"),
        ("https://a-b.c_d.weixin.qq.com:", "https://a-b.c_d.weixin.qq.com"),
    ],
)
def test_wechats_own_hosts_are_followed(url: str, normalised: str) -> None:
    assert REAL.check(url) == normalised


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ilinkai.weixin.qq.com",
        "http://idc2.weixin.qq.com",
        "ftp://weixin.qq.com",
        "https://evil.com",
        "https://evilweixin.qq.com",
        "https://weixin.qq.com.evil.com",
        "https://weixin.qq.com@evil.com",
        "https://user:pass@ilinkai.weixin.qq.com",
        "https://evil.com\\@weixin.qq.com",
        "https://evil.com\\.weixin.qq.com",
        "https://evil.com#.weixin.qq.com",
        "https://evil.com?.weixin.qq.com",
        "https://evil.com/.weixin.qq.com",
        "https://weixin.qq.com.",
        "https://.weixin.qq.com",
        "https://a..weixin.qq.com",
        "https://-a.weixin.qq.com",
        "https://ｗeixin.qq.com",
        "https://weixin。qq。com",
        "https://weixin.qq.com%2eevil.com",
        "https://weixin.qq.com:99999",
        "https://weixin.qq.com:0",
        "https://weixin.qq.com:44x",
        "https://weixin.qq.com:١",
        "https://weixin.qq.com:443:443",
        "https:/weixin.qq.com",
        "https:weixin.qq.com",
        "//weixin.qq.com",
        " https://weixin.qq.com",
        "https://weixin.qq.com\n",
        "https://weixin.qq.com /x",
        "https://evil.com\t.weixin.qq.com",
        "https://weixin.qq.com\0.evil.com",
        "https://weixin.qq.com/x\r\ny",
        "https://weixin.qq.com/?q=1",
        "https://weixin.qq.com/x#y",
        "https://[::1]",
        "https://127.0.0.1",
        "https://localhost",
        "javascript://weixin.qq.com",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(UnsafeHostError):
        REAL.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://ilinkai.weixin.qq.com",
        "http://ilinkai.weixin.qq.com:443",
        "https://ilinkai.weixin.qq.com:8443",
        "http://novac2c.cdn.weixin.qq.com/c2c",
        "https://novac2c.cdn.weixin.qq.com:80/c2c",
    ],
)
def test_a_host_configured_with_https_has_no_other_scheme_and_port(url: str) -> None:
    """A token sent there in plain text, or to another program of that host, would be given away."""
    for refuse in (REAL.check, REAL.check_file):
        with pytest.raises(UnsafeHostError):
            refuse(url)


def test_a_port_of_ours_is_the_only_one() -> None:
    with pytest.raises(UnsafeHostError):
        REAL.redirect("ilinkai.weixin.qq.com:8443")
    ours = HostPolicy("https://proxy.example.org:8443/ilink")
    assert ours.check("https://proxy.example.org:8443") == "https://proxy.example.org:8443"
    with pytest.raises(UnsafeHostError):
        ours.check("https://proxy.example.org")
    both = HostPolicy("http://localhost:8000", "https://localhost:8443")
    assert both.check("http://localhost:8000") == "http://localhost:8000"
    assert both.check("https://localhost:8443") == "https://localhost:8443"


def test_a_host_configured_without_https_may_have_any_port() -> None:
    assert DEMO.check("http://LOCALHOST:9/x/") == "http://localhost:9/x"
    assert DEMO.check("https://127.0.0.1") == "https://127.0.0.1"
    assert HostPolicy("http://[::1]:80/").check("http://[::1]") == "http://[::1]"
    with pytest.raises(UnsafeHostError):
        DEMO.check("http://127.0.0.2")


def test_a_file_keeps_its_query_byte_for_byte() -> None:
    url = "https://novac2c.cdn.weixin.qq.com/c2c/download?a=%2F+b%20&sig=x/y=="
    assert REAL.check_file(url) == url
    assert REAL.check_file("https://x.weixin.qq.com/ä") == "https://x.weixin.qq.com/%C3%A4"
    assert REAL.check_file("https://x.weixin.qq.com/\ud83d").isascii()
    with pytest.raises(UnsafeHostError):
        REAL.check_file("https://evil.com/download?a=weixin.qq.com")


@pytest.mark.parametrize(
    ("policy", "host", "base_url"),
    [
        (REAL, "idc2.weixin.qq.com", "https://idc2.weixin.qq.com"),
        (REAL, "http://idc2.weixin.qq.com", "https://idc2.weixin.qq.com"),
        (REAL, "https://idc2.weixin.qq.com:8443/", "https://idc2.weixin.qq.com:8443"),
        (REAL, "ILINKAI.weixin.qq.com:443", API),
        (DEMO, "localhost:8000", "http://localhost:8000/simulator"),
        (DEMO, "http://localhost:8000", "http://localhost:8000/simulator"),
        (DEMO, "127.0.0.1:8000", "http://127.0.0.1:8000/simulator/cdn"),
        (DEMO, "localhost:9000", "http://localhost:9000"),
        (DEMO, "localhost", "http://localhost"),
        (DEMO, "idc2.weixin.qq.com", "https://idc2.weixin.qq.com"),
    ],
)
def test_a_redirect_leads_to_a_base_url(policy: HostPolicy, host: str, base_url: str) -> None:
    assert policy.redirect(host) == base_url


@pytest.mark.parametrize(
    "host", ["", "evil.com", "weixin.qq.com@evil.com", "evil.com:443", "https://"]
)
def test_a_redirect_elsewhere_is_refused(host: str) -> None:
    for policy in (REAL, DEMO):
        with pytest.raises(UnsafeHostError):
            policy.redirect(host)


@settings(max_examples=500, deadline=None)
@given(st.text("htps:/\\@#?.%[]-_ \t\n\0weixn.qcomvl0189ｗ。é\ud83d", max_size=40))
def test_no_mixture_of_signs_slips_through(tail: str) -> None:
    from urllib.parse import urlsplit

    for url in (tail, f"https://{tail}", f"https://evil.com{tail}weixin.qq.com"):
        try:
            followed = REAL.check_file(url)
        except UnsafeHostError:
            continue
        host = urlsplit(followed).hostname or ""
        assert host == "weixin.qq.com" or host.endswith(".weixin.qq.com")
