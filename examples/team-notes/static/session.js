// Signing in, and requests in the name of whoever is signed in. Tokens live in this tab alone.

export const config = await (await fetch("/config")).json();
const HOME = `${location.origin}/`;

// Proxy mode: Sentinel signs people in, and hands out an access and a refresh token for a code (PKCE, RFC 7636).
const proxy = {
  async start(flow) {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(flow.secret));
    return `${config.sentinel}/auth/login/${config.provider}?` + new URLSearchParams({
      client_id: config.client_id,
      redirect_uri: HOME,
      code_challenge: base64url(new Uint8Array(digest)),
      state: flow.state,
    });
  },
  answer: () => new URLSearchParams(location.search),
  proof: (answer, flow) => ({ code: answer.get("code"), code_verifier: flow.secret }),
  workspaces: (proof) => post(`${config.sentinel}/auth/workspaces`, proof),
  enter: (proof, workspace_id) => post(`${config.sentinel}/auth/token`, { ...proof, workspace_id }),
  renew: ({ refresh_token }) => post(`${config.sentinel}/auth/refresh`, { refresh_token }),
  headers: (tokens) => ({ Authorization: `Bearer ${tokens.access_token}` }),
  // With cookies, because the answer clears those of Sentinel's own pages.
  leave: (tokens) => post(`${config.sentinel}/auth/logout`, undefined, proxy.headers(tokens), "include"),
};

// Authz mode: the identity provider signs people in; its token is exchanged for one that says what they may do here.
const authz = {
  start: async (flow) => `${config.authorize_url}?` + new URLSearchParams({
    client_id: config.client_id,
    redirect_uri: HOME,
    response_type: "id_token",
    scope: "openid email profile",
    nonce: flow.secret,
    state: flow.state,
  }),
  answer: () => new URLSearchParams(location.hash.slice(1)),
  proof: (answer, flow) => ({ idp_token: answer.get("id_token"), nonce: flow.secret, provider: config.provider }),
  workspaces: async (proof) => (await post("/sentinel/authz/resolve", proof)).workspaces,
  enter: async (proof, workspace_id) => {
    const question = { ...proof, workspace_id };
    return { question, ...(await post("/sentinel/authz/resolve", question)) };
  },
  renew: ({ question }) => authz.enter(question, question.workspace_id),
  headers: (tokens) => ({
    Authorization: `Bearer ${tokens.question.idp_token}`,
    "X-Authz-Token": tokens.authz_token,
  }),
  leave: async () => {},
};

const mode = config.mode === "proxy" ? proxy : authz;
let renewal = null;

export const signedIn = () => recall("tokens") !== null;

/** Leave for the sign-in. What proves afterwards that it was this tab that began stays here. */
export async function signIn() {
  const flow = { secret: random(), state: random() };
  remember("flow", flow);
  location.assign(await mode.start(flow));
}

/** Back from the sign-in: the workspaces to choose from, each with `enter()`. Null when this is no way back. */
export async function comeBack() {
  const answer = mode.answer();
  if (!answer.has("state")) return null;
  history.replaceState(null, "", "/");
  const flow = recall("flow");
  remember("flow", null);
  if (flow === null || answer.get("state") !== flow.state) throw new Error("This sign-in was not begun here.");
  if (answer.has("error")) throw new Error(answer.get("error_description") ?? answer.get("error"));
  const proof = mode.proof(answer, flow);
  const workspaces = await mode.workspaces(proof);
  const enter = async (id) => remember("tokens", await mode.enter(proof, id));
  return workspaces.map((workspace) => ({ ...workspace, enter: () => enter(workspace.id) }));
}

export async function signOut() {
  const tokens = recall("tokens");
  remember("tokens", null);
  await mode.leave(tokens).catch(() => {}); // a token that has ended needs no sign-out
}

/** A request to our own server. A token that has run out is renewed, once. */
export async function call(method, path, body) {
  const used = recall("tokens");
  try {
    return await request(method, path, body, mode.headers(used));
  } catch (error) {
    if (error.status !== 401) throw error;
    // One renewal for all requests of a moment: a refresh token that is used twice ends the session.
    renewal ??= mode.renew(used).then((tokens) => remember("tokens", tokens)).finally(() => (renewal = null));
    await renewal.catch((refusal) => {
      remember("tokens", null);
      throw refusal;
    });
    return request(method, path, body, mode.headers(recall("tokens")));
  }
}

const post = (url, body, headers, credentials) => request("POST", url, body, headers, credentials);

async function request(method, url, body, headers = {}, credentials = "omit") {
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  const response = await fetch(url, { method, headers: { ...headers, ...type }, credentials, ...json });
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  const said = typeof answer?.detail === "string" ? answer.detail : `The server answered ${response.status}`;
  throw Object.assign(new Error(said), { status: response.status });
}

const remember = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));
const recall = (name) => JSON.parse(sessionStorage.getItem(name));
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
