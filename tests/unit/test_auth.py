from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.index import Index as Served
from tests.support.index import Request, Response, serve
from tests.support.indexes import Memory, client
from tests.support.wheels import make_wheel
from venvman.index.auth import Authenticator, Credentials, origin_of, split_credentials
from venvman.index.connections import is_secure, is_trusted, proxy_for
from venvman.model.errors import ConfigurationError, IndexFault
from venvman.model.events import Reporter
from venvman.model.names import NormalizedName

DEMO = NormalizedName("demo")
ME = Credentials("me", "s3cret")


@pytest.fixture
def private(index: Served) -> Served:
    """An index that wants a password and has one wheel."""
    make_wheel(index.folder, "demo")
    index.password = ME.password
    return index


def authenticator(
    home: Path, *urls: str, provider: str = "disabled", reporter: Reporter | None = None, **env: str
) -> Authenticator:
    return Authenticator(
        urls, variables=env, home=home, reporter=reporter or Reporter(), provider=provider
    )


def keyring_program(folder: Path, script: str) -> str:
    """Puts a program `keyring` into ``folder``; the PATH that finds it."""
    path = folder / "bin" / "keyring"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return os.pathsep.join([str(path.parent), os.environ["PATH"]])


class TestSources:
    def test_those_in_the_url_are_used(self, private: Served, tmp_path: Path) -> None:
        assert client(tmp_path, private.simple_with_password).files(DEMO)

    def test_they_also_open_the_files(self, private: Served, tmp_path: Path) -> None:
        own = client(tmp_path, private.simple_with_password)
        (file,) = own.files(DEMO)
        assert ME.password not in file.url
        assert own.download(file.url, tmp_path, hashes=file.hashes, label="demo").size

    @pytest.mark.parametrize("leaf", [".netrc", "_netrc", "elsewhere"])
    def test_netrc_is_read(self, private: Served, tmp_path: Path, leaf: str) -> None:
        (tmp_path / leaf).write_text("machine 127.0.0.1 login me password s3cret\n")
        variables = {"NETRC": str(tmp_path / leaf)} if leaf == "elsewhere" else {}
        assert client(tmp_path, private.simple, variables=variables).files(DEMO)

    def test_netrc_completes_a_user_in_the_url(self, tmp_path: Path) -> None:
        (tmp_path / ".netrc").write_text("machine a.test login me password s3cret\n")
        url = "https://me@a.test/simple"
        assert authenticator(tmp_path, url).before("https://a.test/f/x.whl") == ME
        assert authenticator(tmp_path, url).before(f"{url}/x/") == ME

    def test_netrc_of_another_user_is_not_mixed_in(self, tmp_path: Path) -> None:
        (tmp_path / ".netrc").write_text("machine a.test login you password other\n")
        found = authenticator(tmp_path).before("https://me@a.test/simple/")
        assert found == Credentials("me", "")

    def test_the_default_entry_of_netrc_counts(self, tmp_path: Path) -> None:
        (tmp_path / ".netrc").write_text("default login me password s3cret\n")
        assert authenticator(tmp_path).before("https://a.test/") == ME

    def test_a_broken_netrc_is_a_warning(self, tmp_path: Path) -> None:
        (tmp_path / ".netrc").write_text("machine a.test nonsense\n")
        memory = Memory()
        assert authenticator(tmp_path, reporter=memory).before("https://a.test/") is None
        assert memory.codes == ["netrc-unreadable"]

    def test_the_index_whose_path_fits_best_gives_its_own(self, tmp_path: Path) -> None:
        asked = authenticator(
            tmp_path, "https://a:1@x.test/team-a/simple", "https://b:2@x.test/team-b/simple"
        )
        assert asked.before("https://x.test/team-b/f/d.whl") == Credentials("b", "2")
        assert asked.before("https://y.test/team-b/f/d.whl") is None
        assert asked.before("http://x.test/team-b/f/d.whl") is None


class TestKeyring:
    def test_the_program_is_asked_after_a_refusal(self, private: Served, tmp_path: Path) -> None:
        path = keyring_program(tmp_path, """echo '{"username": "me", "password": "s3cret"}'""")
        own = client(
            tmp_path, private.simple, keyring_provider="subprocess", variables={"PATH": path}
        )
        assert own.files(DEMO)

    def test_an_older_program_is_asked_for_the_user_given(self, tmp_path: Path) -> None:
        path = keyring_program(
            tmp_path, '[ "$1 $2 $3" = "get https://x.test/simple me" ] && echo s3cret'
        )
        asked = authenticator(
            tmp_path, "https://me@x.test/simple", provider="subprocess", PATH=path
        )
        assert asked.after_rejection("https://x.test/simple/demo/", None) == ME
        assert asked.before("https://x.test/f/demo.whl") == ME

    @pytest.mark.parametrize("script", ["exit 1", "echo '{}'"])
    def test_a_keyring_that_knows_nothing_is_no_help(self, tmp_path: Path, script: str) -> None:
        path = keyring_program(tmp_path, script)
        asked = authenticator(tmp_path, provider="subprocess", PATH=path)
        assert asked.after_rejection("https://x.test/simple/", None) is None

    def test_no_keyring_at_all_is_no_help(self, tmp_path: Path) -> None:
        asked = authenticator(tmp_path, provider="subprocess", PATH=str(tmp_path))
        assert asked.after_rejection("https://x.test/simple/", None) is None

    def test_a_broken_keyring_is_a_warning(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = tmp_path / "keyring.py"
        module.write_text("def get_credential(service, user):\n    raise RuntimeError('locked')\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(__import__("sys").modules, "keyring", raising=False)
        memory = Memory()
        asked = authenticator(tmp_path, provider="import", reporter=memory)
        assert asked.after_rejection("https://x.test/simple/", None) is None
        assert memory.codes == ["keyring-failed"]
        monkeypatch.delitem(__import__("sys").modules, "keyring")

    @pytest.mark.parametrize(
        "source",
        [
            (
                "class C:\n    username, password = 'me', 's3cret'\n"
                "def get_credential(service, user):\n    return C\n"
            ),
            "def get_password(service, user):\n    return 's3cret'\n",
        ],
    )
    def test_the_module_is_asked_where_it_is_installed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
    ) -> None:
        (tmp_path / "keyring.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(__import__("sys").modules, "keyring", raising=False)
        asked = authenticator(tmp_path, "https://me@x.test/simple", provider="import")
        assert asked.after_rejection("https://x.test/simple/demo/", None) == ME
        monkeypatch.delitem(__import__("sys").modules, "keyring")

    def test_what_was_refused_is_not_tried_again(self, private: Served, tmp_path: Path) -> None:
        path = keyring_program(tmp_path, """echo '{"username": "me", "password": "old"}'""")
        own = client(
            tmp_path, private.simple, keyring_provider="subprocess", variables={"PATH": path}
        )
        with pytest.raises(IndexFault) as caught:
            own.files(DEMO)
        assert caught.value.code == "index-unauthorised"
        assert "does not accept" in caught.value.message


class TestSecrecy:
    def test_no_error_shows_a_password(self, index: Served, tmp_path: Path) -> None:
        index.password = "right"
        url = index.simple.replace("://", "://me:wr0ng@")
        with pytest.raises(IndexFault) as caught:
            client(tmp_path, url).files(DEMO)
        assert "wr0ng" not in repr(caught.value.problems) + str(caught.value)

    def test_credentials_do_not_show_themselves(self) -> None:
        assert "s3cret" not in repr(ME)

    def test_another_host_gets_no_credentials(self, private: Served, tmp_path: Path) -> None:
        with serve(tmp_path / "other") as other:
            target = other.url.replace("127.0.0.1", "localhost")

            def answer(request: Request) -> Response:
                return Response(302, b"", {"Location": f"{target}{request.path}"})

            private.intercept = answer
            make_wheel(other.folder, "demo")
            assert client(tmp_path, private.simple_with_password).files(DEMO)
        assert "authorization" in private.requests[0].headers
        assert "authorization" not in other.requests[0].headers

    def test_a_redirect_on_the_same_host_keeps_them(self, private: Served, tmp_path: Path) -> None:
        def answer(request: Request) -> Response | None:
            if request.path.startswith("/simple"):
                return None
            return Response(301, b"", {"Location": request.path.replace("/old", "/simple")})

        private.intercept = answer
        url = private.simple_with_password.replace("/simple", "/old")
        assert client(tmp_path, url).files(DEMO)

    def test_pages_are_kept_apart_by_whom_they_were_served_to(
        self, private: Served, tmp_path: Path
    ) -> None:
        assert client(tmp_path, private.simple_with_password).files(DEMO)
        with pytest.raises(IndexFault):
            client(tmp_path, private.simple).files(DEMO)

    def test_the_cache_holds_no_password(self, private: Served, tmp_path: Path) -> None:
        client(tmp_path, private.simple_with_password).files(DEMO)
        encoded = base64.b64encode(b"me:s3cret")
        entries = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
        kept = b"".join(path.read_bytes() for path in entries)
        assert entries
        assert b"s3cret" not in kept
        assert encoded not in kept


class TestUrls:
    def test_credentials_are_split_from_a_url_and_unquoted(self) -> None:
        url, found = split_credentials("https://me%40home:p%2Fw@x.test/simple")
        assert url == "https://x.test/simple"
        assert found == Credentials("me@home", "p/w")

    def test_default_ports_belong_to_the_same_origin(self) -> None:
        assert origin_of("https://X.test/a") == origin_of("https://x.test:443/b")


class TestTrust:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("https://x.test/", True),
            ("http://x.test/", False),
            ("http://localhost:8080/", True),
            ("http://127.1.2.3/", True),
            ("http://trusted.test/", True),
            ("http://port.test:81/", True),
            ("http://port.test:82/", False),
        ],
    )
    def test_pip_takes_files_only_from_secure_places(self, url: str, expected: bool) -> None:
        assert is_secure(url, frozenset({"Trusted.test", "port.test:81"})) is expected

    def test_another_port_is_not_trusted(self) -> None:
        assert not is_trusted("https://port.test/", frozenset({"port.test:81"}))

    @pytest.mark.parametrize("options", [{"cert": "none.pem"}, {"client_cert": "none.pem"}])
    def test_a_missing_certificate_file_is_named(
        self, tmp_path: Path, options: dict[str, Any]
    ) -> None:
        with pytest.raises(ConfigurationError, match=r"none\.pem") as caught:
            client(tmp_path, "https://x.invalid/simple", **options).files(DEMO)
        assert caught.value.code == "certificate-unusable"

    def test_a_broken_certificate_file_from_a_variable_is_named(self, tmp_path: Path) -> None:
        bundle = tmp_path / "ca.pem"
        bundle.write_text("not a certificate")
        variables = {"REQUESTS_CA_BUNDLE": str(bundle)}
        with pytest.raises(ConfigurationError, match=r"ca\.pem"):
            client(tmp_path, "https://x.invalid/simple", variables=variables).files(DEMO)

    def test_a_folder_of_certificates_will_do(self, tmp_path: Path) -> None:
        own = client(tmp_path, "https://127.0.0.1:9/simple", cert=str(tmp_path), retries=0)
        with pytest.raises(IndexFault) as caught:
            own.files(DEMO)
        assert caught.value.code == "index-unreachable"


class TestProxies:
    @pytest.mark.parametrize(
        ("variables", "expected"),
        [
            ({"HTTPS_PROXY": "http://p"}, "http://p"),
            ({"https_proxy": "http://low", "HTTPS_PROXY": "http://up"}, "http://low"),
            ({"ALL_PROXY": "http://all"}, "http://all"),
            ({"HTTP_PROXY": "http://p"}, None),
            ({"HTTPS_PROXY": "http://p", "NO_PROXY": "*"}, None),
            ({"HTTPS_PROXY": "http://p", "NO_PROXY": "other, x.test"}, None),
            ({"HTTPS_PROXY": "http://p", "NO_PROXY": ".test"}, None),
            ({"HTTPS_PROXY": "http://p", "NO_PROXY": "*.x.test"}, None),
            ({"HTTPS_PROXY": "http://p", "NO_PROXY": "a.x.test:443"}, "http://p"),
            ({"HTTPS_PROXY": "http://p", "NO_PROXY": "a.x.test:8443"}, None),
            ({"HTTPS_PROXY": "http://p", "NO_PROXY": "xx.test"}, "http://p"),
        ],
    )
    def test_the_environment_names_the_proxy(
        self, variables: dict[str, str], expected: str | None
    ) -> None:
        assert proxy_for("https://a.x.test:8443/simple", variables) == expected

    def test_address_ranges_can_be_left_out(self) -> None:
        variables = {"HTTP_PROXY": "http://p", "NO_PROXY": "10.0.0.0/8"}
        assert proxy_for("http://10.1.2.3/", variables) is None
        assert proxy_for("http://11.1.2.3/", variables) == "http://p"

    def test_a_proxy_of_a_cgi_request_is_not_believed(self) -> None:
        variables = {"HTTP_PROXY": "http://evil", "REQUEST_METHOD": "GET"}
        assert proxy_for("http://x.test/", variables) is None

    @pytest.mark.parametrize("how", ["option", "variable"])
    def test_requests_go_through_the_proxy(self, index: Served, tmp_path: Path, how: str) -> None:
        body = b'<a href="demo-1.0.tar.gz">x</a>'
        index.intercept = lambda _: Response(200, body, {"Content-Type": "text/html"})
        proxy = index.url.replace("://", "://user:pass@")
        own = client(
            tmp_path,
            "http://far.test/simple",
            trusted_hosts=frozenset({"far.test"}),
            proxy=proxy if how == "option" else None,
            variables={"HTTP_PROXY": proxy} if how == "variable" else {},
        )

        assert own.files(DEMO)
        assert index.requests[0].path == "http://far.test/simple/demo/"
        assert index.requests[0].headers["proxy-authorization"].startswith("Basic ")

    def test_a_proxy_that_is_down_is_named(self, tmp_path: Path) -> None:
        own = client(tmp_path, "https://far.test/simple", proxy="127.0.0.1:9", retries=0)
        with pytest.raises(IndexFault) as caught:
            own.files(DEMO)
        assert caught.value.code == "index-proxy"

    def test_a_proxy_of_an_unknown_kind_is_refused(self, tmp_path: Path) -> None:
        own = client(tmp_path, "https://far.test/simple", proxy="ftp://me:pw@x.test")
        with pytest.raises(ConfigurationError) as caught:
            own.files(DEMO)
        assert caught.value.code == "proxy-unusable"
        assert "pw" not in caught.value.message
