from __future__ import annotations

import os
from pathlib import Path

import pytest

from venvman.model.errors import ConfigurationError
from venvman.model.options import DEFAULT_INDEX, FileOptions, IndexOptions, layer
from venvman.project.pipconfig import configuration_files, read_pip_configuration


def read(tmp_path: Path, text: str = "", /, **variables: str) -> IndexOptions:
    path = tmp_path / "pip.conf"
    path.write_text(text)
    return read_pip_configuration(variables, home=tmp_path, files=[path])


def test_nothing_configured_means_the_public_index(tmp_path: Path) -> None:
    assert read(tmp_path) == IndexOptions(index_urls=(DEFAULT_INDEX,))


def test_a_missing_file_is_no_fault(tmp_path: Path) -> None:
    found = read_pip_configuration({}, home=tmp_path, files=[tmp_path / "none" / "pip.conf"])
    assert found == IndexOptions()


def test_every_key_that_describes_indexes_is_read(tmp_path: Path) -> None:
    text = """[global]
index-url = https://a.test/simple
extra-index-url =
    https://b.test/simple
    https://c.test/simple
find-links = ~/wheels /opt/wheels
trusted-host = a.test b.test:8080
cert = ~/ca.pem
client_cert = /me.pem
proxy = http://proxy.test:3128
no-binary = Foo_Bar,baz
only-binary = qux
prefer-binary = yes
pre = true
all-releases = one
only-final = two
require-hashes = on
timeout = 7.5
retries = 2
keyring-provider = disabled
"""

    assert read(tmp_path, text) == IndexOptions(
        index_urls=("https://a.test/simple", "https://b.test/simple", "https://c.test/simple"),
        find_links=(str(tmp_path / "wheels"), "/opt/wheels"),
        trusted_hosts=frozenset({"a.test", "b.test:8080"}),
        cert=str(tmp_path / "ca.pem"),
        client_cert="/me.pem",
        proxy="http://proxy.test:3128",
        no_binary=frozenset({"foo-bar", "baz"}),
        only_binary=frozenset({"qux"}),
        prefer_binary=True,
        pre=True,
        all_releases=frozenset({"one"}),
        only_final=frozenset({"two"}),
        require_hashes=True,
        timeout=7.5,
        retries=2,
        keyring_provider="disabled",
    )


def test_the_section_of_install_overrides_the_global_one(tmp_path: Path) -> None:
    text = "[install]\nindex-url = https://b.test\n[global]\nindex-url = https://a.test\n"
    assert read(tmp_path, text).index_urls == ("https://b.test",)


def test_sections_of_other_commands_do_not_count(tmp_path: Path) -> None:
    assert read(tmp_path, "[freeze]\nindex-url = https://b.test\n").index_urls == (DEFAULT_INDEX,)


def test_a_variable_overrides_every_file(tmp_path: Path) -> None:
    text = "[install]\nextra-index-url = https://a.test\n"
    found = read(tmp_path, text, PIP_EXTRA_INDEX_URL="https://b.test https://c.test")
    assert found.index_urls == (DEFAULT_INDEX, "https://b.test", "https://c.test")


def test_a_later_file_overrides_value_by_value(tmp_path: Path) -> None:
    early, late = tmp_path / "early", tmp_path / "late"
    early.write_text("[global]\ntimeout = 3\nretries = 1\n")
    late.write_text("[global]\ntimeout = 4\n")
    found = read_pip_configuration({}, home=tmp_path, files=[early, late])
    assert (found.timeout, found.retries) == (4.0, 1)


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert read(tmp_path, PIP_INDEX_URL="").index_urls == (DEFAULT_INDEX,)


def test_no_index_leaves_no_index(tmp_path: Path) -> None:
    assert read(tmp_path, PIP_NO_INDEX="1", PIP_INDEX_URL="https://a.test").index_urls == ()


def test_a_file_cannot_bring_back_an_index_that_is_forbidden(tmp_path: Path) -> None:
    base = read(tmp_path, PIP_NO_INDEX="1")
    options = FileOptions(index_url="https://a.test", extra_index_urls=("https://b.test",))
    assert layer(base, (options,)).index_urls == ()


@pytest.mark.parametrize(("name", "key"), [("PIP_PYPI_URL", "u"), ("PIP_DEFAULT_TIMEOUT", "t")])
def test_older_names_of_options_are_known(tmp_path: Path, name: str, key: str) -> None:
    found = read(tmp_path, **{name: "9"})
    assert found.index_urls == ("9",) if key == "u" else found.timeout == 9.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (":all:", {":all:"}),
        ("a,:all:,b", {":all:"}),  # which covers b
        ("a,:none:", set()),
        ("A.b", {"a-b"}),
    ],
)
def test_all_and_none_replace_what_stands_before_them(
    tmp_path: Path, value: str, expected: set[str]
) -> None:
    assert read(tmp_path, PIP_NO_BINARY=value).no_binary == expected


def test_only_binary_takes_projects_from_no_binary(tmp_path: Path) -> None:
    found = read(tmp_path, PIP_NO_BINARY="a,b", PIP_ONLY_BINARY="b")
    assert (found.no_binary, found.only_binary) == (frozenset("a"), frozenset("b"))


def test_only_binary_all_forgets_no_binary(tmp_path: Path) -> None:
    assert not read(tmp_path, PIP_NO_BINARY="a", PIP_ONLY_BINARY=":all:").no_binary


def test_each_value_knows_where_it_came_from(tmp_path: Path) -> None:
    found = read(tmp_path, "[global]\ncert = /ca.pem\n", PIP_PROXY="http://p.test")
    assert dict(found.origins) == {
        "cert": f"{tmp_path / 'pip.conf'} [global] cert",
        "proxy": "PIP_PROXY",
    }


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, "[global]\npre = maybe\nretries = many\n", PIP_TIMEOUT="-1")
    messages = [problem.message for problem in caught.value.problems]
    assert len(messages) == 3
    assert all(problem.code == "pip-configuration-invalid" for problem in caught.value.problems)
    assert "[global] pre cannot be 'maybe'" in messages[0]


def test_a_file_that_is_no_configuration_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, "[global]\nnonsense without sense\n")
    (problem,) = caught.value.problems
    assert (problem.code, problem.line) == ("pip-configuration-unreadable", 2)


def test_a_line_before_any_section_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, "index-url = x\n")
    assert caught.value.problems[0].line == 1


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff[global]\nretries = 1\n").retries == 1


def test_a_folder_in_place_of_a_file_is_passed_over(tmp_path: Path) -> None:
    assert read_pip_configuration({}, home=tmp_path, files=[tmp_path]) == IndexOptions()


class TestPlaces:
    def test_linux_looks_from_the_system_to_the_environment(self, tmp_path: Path) -> None:
        found = configuration_files({}, home=tmp_path, site=tmp_path / "venv", platform="linux")
        assert found == (
            Path("/etc/xdg/pip/pip.conf"),
            Path("/etc/pip.conf"),
            tmp_path / ".pip/pip.conf",
            tmp_path / ".config/pip/pip.conf",
            tmp_path / "venv/pip.conf",
        )

    def test_xdg_variables_move_the_folders(self, tmp_path: Path) -> None:
        variables = {"XDG_CONFIG_DIRS": "/one:/two", "XDG_CONFIG_HOME": "/mine"}
        found = configuration_files(variables, home=tmp_path, platform="linux")
        assert found[:2] == (Path("/one/pip/pip.conf"), Path("/two/pip/pip.conf"))
        assert found[-1] == Path("/mine/pip/pip.conf")

    def test_the_null_device_silences_all_files(self, tmp_path: Path) -> None:
        assert configuration_files({"PIP_CONFIG_FILE": os.devnull}, home=tmp_path) == ()

    def test_a_named_file_replaces_the_users(self, tmp_path: Path) -> None:
        named = tmp_path / "mine.conf"
        named.write_text("")
        found = configuration_files(
            {"PIP_CONFIG_FILE": str(named)}, home=tmp_path, platform="linux"
        )
        assert found == (Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), named)

    def test_macos_prefers_its_own_folder_where_it_is(self, tmp_path: Path) -> None:
        without = configuration_files({}, home=tmp_path, platform="darwin")
        support = tmp_path / "Library" / "Application Support" / "pip"
        support.mkdir(parents=True)
        with_it = configuration_files({}, home=tmp_path, platform="darwin")
        assert without[-1] == tmp_path / ".config/pip/pip.conf"
        assert with_it[-1] == support / "pip.conf"

    def test_windows_has_ini_files(self, tmp_path: Path) -> None:
        variables = {"PROGRAMDATA": "/data", "APPDATA": "/roaming"}
        found = configuration_files(variables, home=tmp_path, platform="win32")
        assert found == (
            Path("/data/pip/pip.ini"),
            tmp_path / "pip/pip.ini",
            Path("/roaming/pip/pip.ini"),
        )
