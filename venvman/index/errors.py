"""What can go wrong between here and an index, as errors with facts and a way out."""

from __future__ import annotations

import re

from venvman.index.pace import SLOWEST, is_too_slow, window_of
from venvman.model.errors import Advice, Fix, IndexFault
from venvman.system.secrets import line_of, redact
from venvman.system.variables import unset_in


class Transient(Exception):
    """An attempt failed in a way that may pass.

    ``fault`` is what to raise when the attempts are used up, ``wait`` the seconds that the server
    asked for, if it did.
    """

    def __init__(self, fault: IndexFault, *, wait: float | None = None) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.wait = wait


class Refused(IndexFault):
    """The server answered with a status that is no success; ``status`` says which."""

    def __init__(
        self, message: str, *, status: int, code: str, why: str | None, fix: Fix,
        path: str | None = None, line: int | None = None, text: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message, code=code, why=why, fix=fix, path=path, line=line, text=text)
        self.status = status


def fault_of_status(status: int, reason: str, url: str, *, sent_credentials: bool) -> Refused:
    """The error for an answer that is neither a success nor a redirect."""
    where = redact(url)
    said = f"The server answered {status} {reason}".rstrip() + "."
    unset = unset_in(url)
    if status in (401, 403) and unset:
        # A variable of the URL has no value: nothing else can be said of what was refused.
        names = " and ".join(unset)
        verb = "is" if len(unset) == 1 else "are"
        return Refused(
            f"{names} {verb} not set, and {where} asks for credentials.",
            status=status,
            code="variable-unset",
            why=said,
            fix=Advice(f"Set {names}, percent-encoded, before running venvman."),
            **line_of(next(filter(None, unset.values()), None)),
        )
    code = "index-error"
    message = f"{where} cannot be read."
    fix = "Try again later, or name another index: PIP_INDEX_URL, or --index-url in the file."
    if status == 401:
        code, message = "index-unauthorised", f"{where} asks for credentials."
        if sent_credentials:
            message = f"{where} does not accept the credentials it was given."
        fix = "Put user and password into the index URL as ${VARIABLES}, ~/.netrc or the keyring."
    elif status == 403:
        code, message = "index-forbidden", f"{where} may not be read."
        fix = "Check the rights of the account, and that the URL is that of an index."
    elif status in (404, 410):
        code, message, fix = "index-not-found", f"{where} does not exist.", CHECK_URL.text
    elif status >= 500 or status == 429:
        message = f"{where} cannot be read at the moment."
        code = "index-rate-limited" if status == 429 else code
    return Refused(message, status=status, code=code, why=said, fix=Advice(fix))


def fault_of_error(error: Exception, url: str, *, timeout: float) -> tuple[IndexFault, bool]:
    """The error for an exception of urllib3, and whether trying again may help."""
    from urllib3 import exceptions as kinds

    where = redact(url)
    host = where.split("/")[2] if "//" in where else where
    online = "Check the network and the URL, or use --offline with what the cache holds."
    again = True
    if is_too_slow(error):
        again = False
        code, message = "index-too-slow", f"{where} is sent too slowly to wait for."
        why = f"Less than {SLOWEST} bytes a second came for {window_of(timeout):g} seconds."
        fix = "Try again later or elsewhere, or allow more time with PIP_DEFAULT_TIMEOUT."
    elif is_certificate_error(error):
        again = False
        code = "index-certificate"
        message = f"The certificate of {host} is not trusted, so {where} was not read."
        why = _reason(error)
        fix = "Name the certificate authority's file with PIP_CERT or SSL_CERT_FILE."
    elif isinstance(error, kinds.ProxyError):
        code, message = "index-proxy", f"{where} could not be reached through the proxy."
        why = _reason(error)
        fix = "Check HTTPS_PROXY, NO_PROXY and pip's `proxy` setting."
    # Before the time-outs, of which urllib3 makes these two a kind.
    elif isinstance(error, kinds.NameResolutionError):
        code, message, fix = "index-unreachable", f"{where} could not be reached.", online
        why = f"The name {host} could not be resolved: there is no network, or no such host."
    elif isinstance(error, kinds.NewConnectionError):
        code, message, fix = "index-unreachable", f"{where} could not be reached.", online
        why = f"No connection to {host}: {_reason(error)}"
    elif isinstance(error, kinds.TimeoutError):
        code, message = "index-timeout", f"{where} did not answer in time."
        why = f"Nothing arrived for {timeout:g} seconds."
        fix = "Try again, allow more time with PIP_DEFAULT_TIMEOUT, or use --offline."
    elif isinstance(error, (kinds.IncompleteRead, kinds.ProtocolError, kinds.DecodeError)):
        code = "index-truncated"
        message = f"The connection broke while {where} was being read."
        why = _how_much(error) or _reason(error)
        fix = "Run the same command again."
    else:
        again = isinstance(error, kinds.SSLError)
        code, message, why = "index-error", f"{where} could not be read.", redact(str(error))
        return IndexFault(message, code=code, why=why, fix=CHECK_URL), again
    return IndexFault(message, code=code, why=why, fix=Advice(fix)), again


CHECK_URL = Advice("Check the URL and the network.")


def is_certificate_error(error: BaseException) -> bool:
    """Whether the chain of causes of ``error`` has a certificate that is not trusted."""
    import ssl

    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        inner = next((each for each in seen.args if isinstance(each, BaseException)), None)
        seen = seen.__cause__ or inner or getattr(seen, "original_error", None)
    return False


def _how_much(error: Exception) -> str | None:
    """How far a body came, where the exception or one inside it knows."""
    for each in (error, *error.args):
        partial, expected = getattr(each, "partial", None), getattr(each, "expected", None)
        if isinstance(partial, int) and isinstance(expected, int):
            return f"It ended after {partial:,} bytes; {expected:,} more were to come."
    return None


def _reason(error: Exception) -> str:
    """The innermost words of an exception, without urllib3's objects and the error's number."""
    text = str(error)
    text = text.split(">: ", 1)[-1] if ">: " in text else text
    text = re.sub(r"^\w+\(host=[^()]*\): ", "", text)
    text = re.sub(r"^Failed to establish a new connection: (\[Errno -?\d+\] )?", "", text)
    return redact(text).rstrip(".") + "."
