"""Lines to copy into an application: ready to run, with the real address, id and key filled in."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Snippet:
    """One block of text; ``id`` is what its copy button points to."""

    id: str
    title: str
    about: str
    text: str


def for_service(
    base_url: str, service_name: str, key: str, idp_audiences: Sequence[str] = ()
) -> tuple[Snippet, ...]:
    """How a backend uses its key, as an environment file, from a shell and from Python.

    A service that takes identity tokens itself (it has ``idp_audiences``) gets the mode that checks them.
    """
    environment = (
        f"SENTINEL_URL={base_url}\nSENTINEL_SERVICE_NAME={service_name}\nSENTINEL_SERVICE_KEY={key}\n"
    )
    shell = f"curl --fail-with-body \\\n  -H 'X-Service-Key: {key}' \\\n  {base_url}/realm/whoami\n"
    if idp_audiences:
        audience = idp_audiences[0] if len(idp_audiences) == 1 else list(idp_audiences)
        mode = (
            '    idp_jwks_url="https://IDENTITY-PROVIDER/jwks",  # where it publishes its keys\n'
            f"    idp_audience={json.dumps(audience)},\n"
        )
    else:
        mode = '    mode="proxy",\n'
    python = (
        "from fastapi import Depends, FastAPI\n"
        "from sentinel_auth import Sentinel\n"
        "\n"
        "sentinel = Sentinel(\n"
        f"    base_url={json.dumps(base_url)},\n"
        f"    service_name={json.dumps(service_name)},\n"
        f"    service_key={json.dumps(key)},\n"
        f"{mode}"
        ")\n"
        "app = FastAPI(lifespan=sentinel.lifespan)\n"
        "sentinel.protect(app)\n"
        "\n"
        "\n"
        '@app.get("/me")\n'
        "async def me(user=Depends(sentinel.require_user)):\n"
        '    return {"user": user.user_id, "role": user.workspace_role}\n'
    )
    return (
        Snippet("environment", "Environment file", "Keep it out of version control.", environment),
        Snippet("curl", "curl", "Says who the key is: the quickest test.", shell),
        Snippet("python", "Python", "pip install sentinel-auth-sdk", python),
    )


def for_login_app(base_url: str, client_id: str, redirect_uri: str, provider: str) -> tuple[Snippet, ...]:
    """How an application sends people to the sign-in."""
    query = urlencode({"client_id": client_id, "redirect_uri": redirect_uri, "code_challenge_method": "S256"})
    address = f"{base_url}/auth/login/{provider}?{query}&code_challenge=CHALLENGE&state=STATE\n"
    script = (
        'import { SentinelAuth } from "@sentinel-auth/js";\n'
        "\n"
        "const auth = new SentinelAuth({\n"
        f"  sentinelUrl: {json.dumps(base_url)},\n"
        f"  clientId: {json.dumps(client_id)},\n"
        f"  redirectUri: {json.dumps(redirect_uri)},\n"
        "});\n"
        f"await auth.login({json.dumps(provider)});\n"
    )
    return (
        Snippet(
            "login-url",
            "Address of the sign-in",
            "CHALLENGE is the PKCE challenge, STATE a random text of yours that comes back.",
            address,
        ),
        Snippet("javascript", "JavaScript", "npm install @sentinel-auth/js", script),
    )
