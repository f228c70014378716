"""An identity provider for the service under test: its metadata, its key, and tokens of everybody in the world."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jwt
from joserfc.jwk import RSAKey

from bench.data import World


class BenchIssuer:
    """Signs id tokens, and tells on ``port`` with which key."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._key = RSAKey.generate_key(2048)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def token(self, person: int) -> str:
        """Somebody's id token."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": self._world.login_subject(person),
            "aud": "sentinel",
            "iat": now,
            "exp": now + 86_400,
            "email": self._world.email(person),
            "email_verified": True,
            "name": self._world.name(person),
        }
        return jwt.encode(
            {"alg": "RS256", "kid": self._key.thumbprint()}, claims, self._key, algorithms=["RS256"]
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = json.dumps(issuer.document(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        return Handler

    def document(self, path: str) -> object:
        """The key set, or the metadata for any other path."""
        if path == "/jwks":
            public = self._key.as_dict(private=False)
            return {"keys": [public | {"kid": self._key.thumbprint(), "use": "sig", "alg": "RS256"}]}
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    @contextmanager
    def serving(self) -> Iterator["BenchIssuer"]:
        """Answer from a thread."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
