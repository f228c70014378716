// The page: what the server answers, as text; what people click, as requests.

import { call, comeBack, config, signedIn, signIn, signOut } from "./session.js";

const $ = (id) => document.getElementById(id);
let me = null;

async function show() {
  const workspaces = signedIn() ? null : await comeBack();
  if (workspaces?.length === 1) await workspaces[0].enter();
  else if (workspaces !== null) return choose(workspaces);
  arrange();
  if (!signedIn()) return;
  me = await call("GET", "/me");
  $("who").textContent = `${me.name}, ${me.role} in ${me.workspace}`;
  $("export").hidden = !me.may_export;
  await list();
}

function arrange() {
  $("welcome").hidden = signedIn();
  $("notes").hidden = $("person").hidden = !signedIn();
  $("choice").hidden = true;
}

function choose(workspaces) {
  $("welcome").hidden = true;
  $("choice").hidden = false;
  $("no-workspace").hidden = workspaces.length > 0;
  $("workspaces").replaceChildren(...workspaces.map((one) =>
    element("button", `${one.name} (${one.role})`, async () => { await one.enter(); await show(); })));
}

async function list() {
  const notes = await call("GET", "/notes");
  $("empty").hidden = notes.length > 0;
  $("list").replaceChildren(...notes.map((note) => {
    const card = $("card").content.cloneNode(true);
    card.querySelector("h2").textContent = note.title;
    card.querySelector(".text").textContent = note.text;
    card.querySelector(".author").textContent = note.author;
    const tools = card.querySelector(".tools");
    if (note.may_edit) tools.append(element("button", "Edit", () => write(note)));
    if (note.may_manage) tools.append(element("button", "Share", () => share(note)));
    if (note.may_manage) tools.append(element("button", "Delete", async () => {
      if (confirm(`Delete “${note.title}”?`)) await call("DELETE", `/notes/${note.id}`);
      await list();
    }));
    return card;
  }));
}

function write(note) {
  const form = $("write").querySelector("form");
  form.reset();
  const { title, text, visibility } = form.elements;
  title.value = note?.title ?? "";
  text.value = note?.text ?? "";
  visibility.parentElement.hidden = note !== null;
  form.onsubmit = act(async () => {
    const draft = { title: title.value, text: text.value };
    if (note !== null) await call("PUT", `/notes/${note.id}`, draft);
    else await call("POST", "/notes", { ...draft, visibility: visibility.value });
    $("write").close();
    await list();
  });
  $("write").showModal();
}

async function share(note) {
  const path = `/notes/${note.id}`;
  const form = $("share").querySelector("form");
  const { visibility, person, permission } = form.elements;
  const people = await call("GET", "/colleagues");
  person.replaceChildren(...people.filter((one) => one.user_id !== me.id).map((one) =>
    new Option(`${one.name} (${one.role})`, one.user_id)));
  const refresh = async () => {
    const access = await call("GET", `${path}/access`);
    visibility.value = access.visibility;
    $("shares").replaceChildren(...access.shares.map((one) => {
      const line = element("li", `${one.grantee_name} may ${one.permission} `);
      line.append(element("button", "Unshare", async () => {
        await call("DELETE", `${path}/shares/${one.grantee_id}`);
        await refresh();
      }));
      return line;
    }));
  };
  visibility.onchange = act(async () => {
    await call("PUT", `${path}/visibility`, { visibility: visibility.value });
    await refresh();
  });
  form.onsubmit = act(async () => {
    await call("PUT", `${path}/shares/${person.value}`, { permission: permission.value });
    await refresh();
  });
  await refresh();
  $("share-title").textContent = note.title;
  $("share").showModal();
}

async function download() {
  const notes = await call("GET", "/export");
  const link = element("a", "");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(notes, null, 2)], { type: "application/json" }));
  link.download = "notes.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

function element(name, text, onclick) {
  const made = document.createElement(name);
  made.textContent = text;
  if (name === "button") made.type = "button";
  if (onclick) made.onclick = act(onclick);
  return made;
}

/** A handler that says what went wrong, and offers to sign in when that was the end of the session. */
function act(handler) {
  return async (event) => {
    event?.preventDefault();
    const problem = $("problem");
    problem.textContent = "";
    try {
      await handler(event);
    } catch (error) {
      problem.textContent = error.message;
      if (!signedIn()) {
        document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
        arrange();
      }
      (document.querySelector("dialog[open]") ?? document.querySelector("main")).prepend(problem);
    }
  };
}

$("sign-in").onclick = act(signIn);
$("sign-out").onclick = act(async () => { await signOut(); location.replace("/"); });
$("new").onclick = act(() => write(null));
$("export").onclick = act(download);
for (const button of document.querySelectorAll("[data-close]")) {
  button.onclick = () => button.closest("dialog").close();
}
document.body.dataset.mode = config.mode;
await act(show)();
