// The start page: a single-page application in front of the public endpoints.

import { post } from "./api.js";
import { forget, recall, remember, startSignIn, takeAnswer } from "./session.js";
import { CLAIM_MEANING, HEADER_MEANING, decode, duration, readable, shorten } from "./token.js";

const config = document.getElementById("app").dataset;
const byId = (id) => document.getElementById(id);
const STEPS = ["step-sign-in", "step-workspace", "step-token", "step-ask"];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const EXPIRED_SOON = 60;

let session = null; // {access, refresh, workspace: {name, role}}
let stopNotice = () => {};

// ---- small pieces of page

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Show what went wrong inside a step, with a way on. `wait`: seconds before the way on opens. */
function notice(step, text, actions = [], wait = null) {
  clearNotices();
  const buttons = actions.map(([label, run]) => {
    return element("button", { type: "button", class: "button small", "data-label": label, onclick: run }, label);
  });
  const box = element("div", { class: "notice bad", role: "alert" }, element("p", {}, text));
  if (buttons.length) box.append(element("p", { class: "buttons" }, ...buttons));
  byId(step).querySelector(".notices").append(box);
  if (!wait || !buttons.length) return;
  const until = Date.now() + wait * 1000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    for (const button of buttons) {
      button.disabled = left > 0;
      button.textContent = left > 0 ? `${button.dataset.label} in ${left} s` : button.dataset.label;
    }
    if (left <= 0) stopNotice();
  };
  const timer = setInterval(tick, 1000);
  stopNotice = () => clearInterval(timer);
  tick();
}

function clearNotices() {
  stopNotice();
  for (const notices of document.querySelectorAll(".notices")) notices.replaceChildren();
}

/** Show the part of each step that belongs to a phase: "out", "choosing" or "in". */
function show(phase) {
  const reached = { out: 0, choosing: 1, in: 2 }[phase];
  STEPS.forEach((id, index) => {
    const asks = phase === "in" && index === 3;
    byId(id).dataset.state = index < reached ? "done" : index === reached || asks ? "now" : "later";
  });
  for (const part of document.querySelectorAll("[data-when]")) {
    part.hidden = !part.dataset.when.split(" ").includes(phase);
  }
  if (phase !== "in") {
    byId("answer").hidden = true;
    byId("curl-box").hidden = true;
  }
}

function goTo(step) {
  const heading = byId(step).querySelector("h2");
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: "start" });
}

/** The action behind a button: one run at a time, and nothing that it throws is lost. */
function action(id, step, run) {
  const button = byId(id);
  return async function attempt() {
    if (button.disabled) return;
    button.disabled = true;
    clearNotices();
    try {
      await run();
    } catch (error) {
      explain(step, error, attempt);
    } finally {
      button.disabled = false;
    }
  };
}

function explain(step, error, again) {
  const repeat = error.status === 429 || error.status === 0 || error.status >= 500;
  notice(step, error.message, repeat ? [["Try again", again]] : [], error.retryAfter);
}

// ---- step 1: sign in

function signedOut(why) {
  session = null;
  forget("session", "pending");
  show("out");
  clearNotices();
  if (why) notice("step-sign-in", why);
}

const signIn = action("sign-in", "step-sign-in", () => startSignIn(config));
byId("sign-in").addEventListener("click", signIn);

// ---- step 2: choose a workspace

async function loadWorkspaces(pending) {
  show("choosing");
  byId("signed-in-as").textContent = "Someone signed in. The token will say who.";
  byId("workspaces").replaceChildren(element("li", { class: "quiet" }, "Asking for the workspaces …"));
  try {
    const proof = { code: pending.code, code_verifier: pending.verifier };
    listWorkspaces(await post("/auth/workspaces", proof), pending);
    goTo("step-workspace");
  } catch (error) {
    byId("workspaces").replaceChildren();
    if (error.status === 400) codeIsGone();
    else if (error.status === 404) signedOut("This account does not exist any more, or is deactivated.");
    else explain("step-workspace", error, () => loadWorkspaces(pending));
  }
}

function codeIsGone() {
  forget("pending");
  byId("workspaces").replaceChildren();
  notice("step-workspace", "The code was used already, or is older than five minutes.", [["Sign in again", signIn]]);
}

function listWorkspaces(workspaces, pending) {
  clearNotices();
  if (!workspaces.length) {
    byId("workspaces").replaceChildren();
    notice(
      "step-workspace",
      "This person is in no workspace that could be opened. An administrator can add them in the admin panel.",
      [["Sign in as someone else", signIn]],
    );
    return;
  }
  const items = workspaces.map((workspace) => {
    const choose = () => chooseWorkspace(workspace, pending);
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", class: "choice", onclick: choose },
        element("span", { class: "avatar square", "aria-hidden": "true" }, workspace.name.slice(0, 1)),
        element(
          "span",
          { class: "choice-text" },
          element("span", { class: "choice-title" }, workspace.name),
          element("span", { class: "choice-sub" }, workspace.slug),
        ),
        element("span", { class: "badge role" }, workspace.role),
      ),
    );
  });
  byId("workspaces").replaceChildren(...items);
}

async function chooseWorkspace(workspace, pending) {
  const buttons = byId("workspaces").querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  clearNotices();
  try {
    const answer = await post("/auth/token", {
      code: pending.code,
      code_verifier: pending.verifier,
      workspace_id: workspace.id,
    });
    forget("pending");
    keepTokens(answer, { name: workspace.name, role: workspace.role });
    goTo("step-token");
  } catch (error) {
    if (error.status === 429 || error.status === 0) {
      explain("step-workspace", error, () => chooseWorkspace(workspace, pending));
    } else if (error.status === 400) {
      codeIsGone();
    } else {
      // Whatever went wrong behind the exchange, the code is consumed.
      forget("pending");
      byId("workspaces").replaceChildren();
      notice("step-workspace", error.message, [["Sign in again", signIn]]);
    }
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
}

// ---- step 3: the token

function keepTokens(answer, workspace) {
  session = { access: answer.access_token, refresh: answer.refresh_token, workspace };
  remember("session", session);
  showTokens();
}

function showTokens() {
  show("in");
  const { header, claims } = decode(session.access);
  const refresh = decode(session.refresh).claims;
  byId("signed-in-as").textContent = `Signed in as ${claims.name || claims.email} (${claims.email}).`;
  byId("chosen-workspace").textContent = `${session.workspace.name}, as ${session.workspace.role}.`;
  byId("access-short").textContent = shorten(session.access);
  byId("refresh-short").textContent = shorten(session.refresh);
  const left = duration(Math.max(0, refresh.exp - now()));
  byId("refresh-kind").textContent = `single use, for ${left}; only good for ${refresh.aud}`;
  byId("header-rows").replaceChildren(...rows(header, HEADER_MEANING));
  byId("claim-rows").replaceChildren(...rows(claims, CLAIM_MEANING));
  countDown();
}

function rows(fields, meanings) {
  return Object.entries(fields).map(([name, value]) => {
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      element("td", { class: "value" }, readable(name, value)),
      element("td", { class: "meaning" }, meanings[name] ?? "Not one of the standard claims."),
    );
  });
}

function now() {
  return Math.floor(Date.now() / 1000);
}

function countDown() {
  if (session === null) return;
  const left = decode(session.access).claims.exp - now();
  byId("expiry").textContent = left > 0 ? `Expires in ${duration(left)}` : "Expired. Refresh to get the next one.";
  byId("expiry").classList.toggle("late", left <= EXPIRED_SOON);
}
setInterval(countDown, 1000);

async function refresh() {
  try {
    const workspace = session.workspace;
    keepTokens(await post("/auth/refresh", { refresh_token: session.refresh }), workspace);
    // The role may have changed since; the new token knows.
    session.workspace.role = decode(session.access).claims.wrole ?? workspace.role;
    remember("session", session);
    byId("chosen-workspace").textContent = `${session.workspace.name}, as ${session.workspace.role}.`;
    byId("answer").hidden = true;
  } catch (error) {
    if (error.status !== 401) throw error;
    signedOut("The session is over: the refresh token was used before, revoked, or is too old. Sign in again.");
    goTo("step-sign-in");
  }
}
const refreshNow = action("refresh", "step-token", refresh);
byId("refresh").addEventListener("click", refreshNow);

async function logOut() {
  try {
    await post("/auth/logout", undefined, session.access);
    signedOut();
  } catch (error) {
    if (error.status !== 401) throw error;
    signedOut("The token was dead already, so there was nothing left to log out of.");
  }
  goTo("step-sign-in");
}
byId("log-out").addEventListener("click", action("log-out", "step-token", logOut));

// ---- step 4: ask

/** The chosen resource: {id, title, workspace}; null after saying what is missing. */
function chosenResource() {
  const radio = byId("ask").querySelector("input[name=resource]:checked");
  if (radio.value) return { id: radio.value, title: radio.dataset.title, workspace: radio.dataset.workspace };
  const id = byId("other-id").value.trim().toLowerCase();
  if (UUID.test(id)) return { id, title: id, workspace: null };
  notice("step-ask", "An id looks like 3f2b8c1e-5d4a-4b6f-9e7d-0a1b2c3d4e5f.");
  byId("other-id").focus();
  return null;
}

async function ask() {
  const resource = chosenResource();
  if (resource === null) return;
  const action = byId("ask").querySelector("input[name=action]:checked").value;
  const question = { resource_type: config.resourceType, resource_id: resource.id, action };
  byId("answer").hidden = true;
  showCurl(question);
  try {
    const { results } = await post("/dev/app/check", question, session.access);
    showAnswer(results[0].allowed === true, resource, action);
  } catch (error) {
    if (error.status !== 401) throw error;
    notice("step-ask", "The access token is not accepted any more: it expired, or was revoked.", [
      ["Refresh it", refreshNow],
      ["Sign in again", signIn],
    ]);
  }
}

function showAnswer(allowed, resource, action) {
  const { claims } = decode(session.access);
  byId("answer").className = allowed ? "answer yes" : "answer no";
  byId("verdict").textContent = allowed ? "Allowed" : "Denied";
  const may = allowed ? "may" : "may not";
  byId("answer-words").textContent = `${claims.name || claims.email} ${may} ${action} “${resource.title}”.`;
  const elsewhere = !allowed && resource.workspace && resource.workspace !== session.workspace.name;
  byId("answer-hint").hidden = !elsewhere;
  byId("answer-hint").textContent = elsewhere
    ? `It lies in ${resource.workspace}; this token opens ${session.workspace.name} and nothing else.`
    : "";
  byId("answer").hidden = false;
}

function showCurl(question) {
  const body = JSON.stringify({ checks: [{ service_name: config.serviceName, ...question }] });
  byId("curl").textContent = [
    `curl -s ${config.baseUrl}/permissions/check`,
    '-H "X-Service-Key: $SERVICE_KEY"',
    '-H "Authorization: Bearer $TOKEN"',
    '-H "Content-Type: application/json"',
    `-d '${body.replaceAll("'", "'\\''")}'`,
  ].join(" \\\n  ");
  byId("curl-box").hidden = false;
}

const askNow = action("ask-button", "step-ask", ask);
byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  askNow();
});
byId("other-id").addEventListener("focus", () => {
  byId("ask").querySelector('input[name=resource][value=""]').checked = true;
});

// ---- copying

function copies(id, text) {
  const button = byId(id);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed here";
    }
    setTimeout(() => (button.textContent = button.dataset.label), 1500);
  });
}
copies("copy-access", () => session.access);
copies("copy-curl", () => byId("curl").textContent);

// ---- begin

function begin() {
  if (location.origin !== new URL(config.baseUrl).origin) {
    // Tabs remember by origin: the sign-in must start where it comes back to.
    location.replace(`${config.baseUrl}/`);
    return;
  }
  const answer = takeAnswer(config);
  if (answer?.refused) {
    signedOut(answer.refused);
    return;
  }
  if (answer?.pending) remember("pending", answer.pending);
  session = recall("session");
  const pending = recall("pending");
  if (session !== null) showTokens();
  else if (pending !== null) loadWorkspaces(pending);
  else show("out");
}

begin();
