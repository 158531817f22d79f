"""What a failed build said: the part that tells why, and what people do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.model.errors import Advice

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN_LINES = 12

_HEADERS = {
    "Python.h": "the headers of this Python (python3-dev, python3-devel)",
    "cups/cups.h": "the headers of CUPS (libcups2-dev, cups-devel)",
    "dbus/dbus.h": "the headers of D-Bus (libdbus-1-dev, dbus-devel)",
    "ffi.h": "the headers of libffi (libffi-dev, libffi-devel)",
    "gmp.h": "the headers of GMP (libgmp-dev, gmp-devel)",
    "gssapi/gssapi.h": "the headers of Kerberos (libkrb5-dev, krb5-devel)",
    "jpeglib.h": "the headers of libjpeg (libjpeg-dev, libjpeg-turbo-devel)",
    "lber.h": "the headers of OpenLDAP (libldap2-dev libsasl2-dev, openldap-devel)",
    "ldap.h": "the headers of OpenLDAP (libldap2-dev libsasl2-dev, openldap-devel)",
    "libpq-fe.h": "the headers of PostgreSQL (libpq-dev, libpq-devel)",
    "libxml/xmlversion.h": "the headers of libxml2 (libxml2-dev libxslt1-dev, libxml2-devel)",
    "mysql.h": "the headers of MySQL (default-libmysqlclient-dev, mysql-devel)",
    "openssl/ssl.h": "the headers of OpenSSL (libssl-dev, openssl-devel)",
    "portaudio.h": "the headers of PortAudio (portaudio19-dev, portaudio-devel)",
    "sasl/sasl.h": "the headers of SASL (libsasl2-dev, cyrus-sasl-devel)",
    "sql.h": "the headers of unixODBC (unixodbc-dev, unixODBC-devel)",
    "sqlite3.h": "the headers of SQLite (libsqlite3-dev, sqlite-devel)",
    "yaml.h": "the headers of libyaml (libyaml-dev, libyaml-devel)",
    "zlib.h": "the headers of zlib (zlib1g-dev, zlib-devel)",
}
_MYSQL = "pkg-config and the headers of MySQL (pkg-config default-libmysqlclient-dev, mysql-devel)"
_COMPILER = "a C compiler (build-essential, gcc, Xcode's command line tools)"
_CPP = "a C++ compiler (build-essential, gcc-c++, Xcode's command line tools)"
_TOOLS = {
    "pg_config": "the headers of PostgreSQL (libpq-dev, libpq-devel)",
    "mysql_config": _MYSQL,
    "mariadb_config": "the headers of MariaDB (libmariadb-dev, mariadb-connector-c-devel)",
    "curl-config": "the headers of libcurl (libcurl4-openssl-dev, libcurl-devel)",
    "xml2-config": "the headers of libxml2 (libxml2-dev libxslt1-dev, libxml2-devel)",
    "xslt-config": "the headers of libxslt (libxml2-dev libxslt1-dev, libxslt-devel)",
    "gdal-config": "the headers of GDAL (libgdal-dev, gdal-devel)",
    "geos-config": "the headers of GEOS (libgeos-dev, geos-devel)",
    "krb5-config": "the headers of Kerberos (libkrb5-dev, krb5-devel)",
    "pkg-config": "pkg-config (pkg-config, pkgconf)",
    "cc": _COMPILER,
    "gcc": _COMPILER,
    "clang": _COMPILER,
    "c++": _CPP,
    "g++": _CPP,
    "gfortran": "a Fortran compiler (gfortran, gcc-gfortran)",
    "cargo": "Rust (https://rustup.rs)",
    "rustc": "Rust (https://rustup.rs)",
}
_ABSENT = (
    r"fatal error: (?P<header>[\w./+-]+\.h(?:pp)?)\b.*(?:No such file|file not found)",
    r"fatal error: '(?P<header>[\w./+-]+\.h(?:pp)?)' file not found",
    r"(?:command|unable to execute) '(?P<tool>[^' ]+)'.*(?:failed: )?No such file",
    r"No such file or directory: '(?P<tool>[\w.+/-]+)'\s*$",
    r"(?:Error: )?(?P<tool>[\w+-]+) executable not found",
    r"(?P<tool>[\w+-]+): (?:command )?not found\s*$",
    r"(?P<tool>[\w+-]+) (?:is )?not found(?: on|\. Please| in)",
    r"Unknown compiler\(s\): \[\['(?P<tool>[\w+-]+)'",
)
_OTHERS = (
    (r"MYSQLCLIENT_CFLAGS", f"install {_MYSQL}"),
    (r"[Rr]ust (compiler|toolchain)|\bcargo\b|\brustc\b", "install Rust (https://rustup.rs)"),
    (r"Microsoft Visual C\+\+ .* is required", "install Microsoft's C++ build tools"),
    (
        r"no attribute 'cython_sources'",
        "upgrade it, or set build-constraints = ['cython<3']: it was written for Cython 0",
    ),
    (
        r"No module named '(distutils|imp|pkg_resources)'|use_2to3|configparser\.SafeConfigParser",
        "upgrade it, or use an older Python: it was written for one",
    ),
)
_MODULE = re.compile(r"ModuleNotFoundError: No module named '(?P<module>[\w.]+)'")
_FRAME = re.compile(r'\s+File "|\s{4,}\S|Traceback \(most recent call last\)')


def reason(lines: Sequence[str]) -> str:
    """The end of what was said, without the frames of a traceback."""
    told = [line for line in lines if not _FRAME.match(line)] or list(lines)
    return "\n".join(told[-_SHOWN_LINES:])


def advice(lines: Sequence[str], *, name: str | None) -> Advice:
    """What helps against a failed build of ``name`` that said ``lines``."""
    said = "\n".join(lines)
    found = _missing(lines) or next((hint for each, hint in _OTHERS if re.search(each, said)), None)
    module = _MODULE.search(said)
    if found is None and module is not None:
        found = f"upgrade it: it needs {module['module']}, which its build-system.requires lacks"
        if name is not None:
            top = module["module"].partition(".")[0]
            found += f"; or say so: extra-build-requires = {{ {name} = ['{top}'] }}"
    if found is None:
        found = "run the command again with --verbose: it shows all that the build said"
    return Advice(f"{found[0].upper()}{found[1:]}.")


def _missing(lines: Sequence[str]) -> str | None:
    """The header or tool that the last line which names one says is missing."""
    for line in reversed(lines):
        for pattern in _ABSENT:
            match = re.search(pattern, line)
            if match is None:
                continue
            header, tool = match.groupdict().get("header"), match.groupdict().get("tool")
            if header:
                known = _HEADERS.get(header)
                return f"install {known or f'the library that brings {header}'}"
            leaf = (tool or "").rpartition("/")[2]
            leaf = re.sub(r"^[\w]+-(?:linux|pc)-[\w-]+-(?=gcc|g\+\+|cc)|-\d+$", "", leaf)
            if leaf in _TOOLS:
                return f"install {_TOOLS[leaf]}"
            if leaf.endswith("config") or not re.search(r"\.\w+$|/", tool or ""):
                return f"install {leaf}"
    return None
