// What this tab remembers: the sign-in under way, the code that came back, the tokens. Gone when the tab closes.

const PREFIX = "sentinel-dev.";

export function remember(name, value) {
  sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
}

export function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

export function forget(...names) {
  for (const name of names) sessionStorage.removeItem(PREFIX + name);
}

/** Leave for the sign-in: a new PKCE verifier (RFC 7636) and state stay here, only their proofs travel. */
export async function startSignIn(config) {
  const verifier = randomText();
  const state = randomText();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  forget("pending", "session");
  remember("flow", { verifier, state });
  const query = new URLSearchParams({
    client_id: config.clientId,
    redirect_uri: config.redirectUri,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
    state,
  });
  location.assign(`/auth/login/${encodeURIComponent(config.provider)}?${query}`);
}

/**
 * Read the answer in the address bar, once, and clean the bar.
 * Returns null (no answer there), {pending: {code, verifier}} or {refused: "why"}.
 */
export function takeAnswer(config) {
  const query = new URLSearchParams(location.search);
  if (location.pathname !== new URL(config.redirectUri).pathname) return null;
  history.replaceState(null, "", "/");
  const flow = recall("flow");
  if (!query.has("code") && !query.has("error")) return null;
  if (flow === null) {
    return { refused: "This answer belongs to a sign-in that was not started in this tab. Start a new one here." };
  }
  forget("flow");
  if (query.get("state") !== flow.state) {
    return { refused: "The answer does not belong to the sign-in that this tab started, so it was thrown away." };
  }
  if (query.has("error")) {
    const why = query.get("error_description") ?? query.get("error");
    return { refused: `The sign-in ended without a person: ${why}.` };
  }
  return { pending: { code: query.get("code"), verifier: flow.verifier } };
}

function randomText() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
