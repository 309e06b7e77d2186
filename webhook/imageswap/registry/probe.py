"""Asks a registry for one manifest: the request, its token, and a redirect.

Source: the OCI distribution specification 1.1, distribution's token specification, and RFC 9110,
sections 11 (authentication) and 15.4 (redirection).
"""

from imageswap.registry import challenge as challenges
from imageswap.registry import token as tokens
from imageswap.registry import url as urls
from imageswap.registry.cache import Cache
from imageswap.registry.challenge import Challenge
from imageswap.registry.client import Answer, Client, Header
from imageswap.registry.credentials import Credentials, Keyring
from imageswap.registry.manifest import ACCEPT, Manifest
from imageswap.registry.settings import Registries, RegistrySettings
from imageswap.registry.url import Url
from imageswap.registry.verdict import Reason, Verdict, of_error, of_status

_REDIRECTS = (301, 302, 303, 307, 308)


class Probe:
    """Asks registries; remembers their tokens, and nothing else."""

    def __init__(
        self,
        client: Client,
        registries: Registries,
        keyring: Keyring,
        remembered_tokens: Cache[tuple[str, str], str],
    ) -> None:
        self._client = client
        self._registries = registries
        self._keyring = keyring
        self._tokens = remembered_tokens

    async def ask(self, manifest: Manifest) -> Verdict:
        """Ask whether a manifest is there.

        Takes its place and gives the verdict. Never raises; takes as long as the registry takes, so
        the caller bounds the time.
        """
        try:
            return await self._ask(manifest)
        except Exception as error:
            return of_error(manifest.registry, error)

    async def _ask(self, manifest: Manifest) -> Verdict:
        who = manifest.registry
        settings = self._registries.of(who)
        start = url = manifest.url(settings.scheme)
        if start is None or url is None:
            return Verdict(Reason.INVALID, f"{who} is not a registry that can be asked")
        remembered = self._tokens.get((who, manifest.scope))
        authorization = f"Bearer {remembered}" if remembered else ""
        challenged = redirected = False
        while True:
            is_own = url.origin == start.origin
            answer = await self._head(url, authorization if is_own else "", settings)
            if answer.status in _REDIRECTS:
                location = answer.header("location")
                target = urls.join(url, location) if location else None
                refusal = _refuse_redirect(who, url, target, redirected)
                if refusal or target is None:
                    return refusal or of_status(who, answer.status)
                url, redirected = target, True
            elif answer.status == 401 and is_own and not challenged:
                challenged = True
                granted = await self._authorize(manifest, answer, settings)
                if isinstance(granted, Verdict):
                    return granted
                authorization = granted
            else:
                return _of_answer(who, answer)

    async def _head(self, url: Url, authorization: str, settings: RegistrySettings) -> Answer:
        headers = [("accept", ACCEPT)]
        if authorization:
            headers.append(("authorization", authorization))
        return await self._request("HEAD", url, headers, settings)

    async def _request(
        self, method: str, url: Url, headers: list[Header], settings: RegistrySettings
    ) -> Answer:
        own = self._registries.of(url.authority, otherwise=settings)
        return await self._client.request(method, url, headers, self._registries.context(own))

    async def _authorize(
        self, manifest: Manifest, refused: Answer, settings: RegistrySettings
    ) -> str | Verdict:
        """Do as a 401 asks: give what to send as ``Authorization``, or how it ended."""
        who = manifest.registry
        asked = challenges.parse(refused.header_values("www-authenticate"))
        credentials = self._keyring.find(who, manifest.repository)
        for challenge in asked:
            if challenge.scheme == challenges.BEARER:
                return await self._token(manifest, challenge, credentials, settings)
            if challenge.scheme == challenges.BASIC and credentials:
                return credentials.basic()
        return of_status(who, refused.status)

    async def _token(
        self,
        manifest: Manifest,
        challenge: Challenge,
        credentials: Credentials | None,
        settings: RegistrySettings,
    ) -> str | Verdict:
        who = f"the token server of {manifest.registry}"
        url = tokens.request_url(challenge, manifest.scope)
        if url is None:
            return Verdict(Reason.UNAUTHORIZED, f"{who} has no URL that can be asked")
        if url.scheme == "http" and settings.scheme != "http":
            return Verdict(Reason.UNAUTHORIZED, f"{who} is not asked, for it is plain HTTP")
        headers = [("accept", "application/json")]
        if credentials:
            headers.append(("authorization", credentials.basic()))
        try:
            answer = await self._request("GET", url, headers, settings)
        except Exception as error:
            return of_error(who, error)
        if answer.status != 200:
            return _of_token_refusal(who, answer.status)
        token = tokens.read(answer.body)
        if token is None:
            return Verdict(Reason.UNAUTHORIZED, f"{who} answers without a token")
        self._tokens.put((manifest.registry, manifest.scope), token.value, token.seconds)
        return f"Bearer {token.value}"


def _refuse_redirect(who: str, source: Url, target: Url | None, redirected: bool) -> Verdict | None:
    if redirected:
        return Verdict(Reason.REDIRECT, f"{who} redirects more than once")
    if target is None:
        return Verdict(Reason.REDIRECT, f"{who} redirects to what is not a URL")
    if source.scheme == "https" and target.scheme == "http":
        return Verdict(Reason.REDIRECT, f"{who} redirects from HTTPS to plain HTTP")
    return None


def _of_answer(who: str, answer: Answer) -> Verdict:
    # A web site that has a page for every path is not a registry that has every image.
    if answer.status == 200 and answer.header("content-type").lower().startswith("text/html"):
        return Verdict(Reason.UNEXPECTED, f"{who} answers with a web page: it is not a registry")
    return of_status(who, answer.status)


def _of_token_refusal(who: str, status: int) -> Verdict:
    """Without a token the image is there but not for us, unless the server does not work at all."""
    verdict = of_status(who, status)
    if verdict.swaps or verdict.registry_failed:
        return verdict
    return Verdict(Reason.UNAUTHORIZED, f"{who} answers {status}, and gives no token")
