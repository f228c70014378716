// Small comforts on top of pages that work without them: theme, copying, the search palette, select-all, menus.
// Everything listens on the document, so that pages swapped in by htmx need no wiring of their own.
(() => {
  const root = document.documentElement;

  const toggleTheme = () => {
    const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    root.dataset.bsTheme = theme;
    localStorage.setItem("sentinel-theme", theme);
  };

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    if (!source) return;
    const text = source.value ?? source.textContent;
    try {
      await navigator.clipboard.writeText(text.trim());
    } catch {
      // Without permission (plain HTTP on another host) selecting it lets the person copy by hand.
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      return;
    }
    const label = button.querySelector("[data-label]") ?? button;
    const before = label.textContent;
    label.textContent = "Copied";
    button.classList.add("is-copied");
    setTimeout(() => { label.textContent = before; button.classList.remove("is-copied"); }, 1600);
  };

  const palette = () => document.getElementById("palette");
  const openPalette = () => {
    const dialog = palette();
    if (!dialog || dialog.open) return;
    dialog.showModal();
    const input = dialog.querySelector("input");
    input.focus();
    input.select();
  };
  const hits = () => [...(palette()?.querySelectorAll("#palette-results a") ?? [])];
  const move = (step) => {
    const links = hits();
    if (!links.length) return;
    const now = links.findIndex((link) => link.classList.contains("is-current"));
    const next = now < 0 && step < 0 ? links.length - 1 : (now + step + links.length) % links.length;
    links.forEach((link, index) => {
      link.classList.toggle("is-current", index === next);
      link.setAttribute("aria-selected", String(index === next));
    });
    palette().querySelector("input").setAttribute("aria-activedescendant", links[next].id);
    links[next].scrollIntoView({ block: "nearest" });
  };
  // To a screen reader the box is one control: a field whose answers are chosen with the arrow keys.
  const dressHits = (answered) => {
    const place = document.getElementById("palette-results");
    const input = palette().querySelector("input");
    const links = hits();
    links.forEach((link, index) => {
      link.id = `hit-${index}`;
      link.tabIndex = -1;
      link.setAttribute("role", "option");
      link.setAttribute("aria-selected", "false");
    });
    place.querySelectorAll("section").forEach((group) => group.setAttribute("role", "group"));
    place.querySelectorAll("h3").forEach((heading) => heading.setAttribute("role", "presentation"));
    if (links.length) {
      place.setAttribute("role", "listbox");
      place.setAttribute("aria-label", "Found");
    } else {
      place.removeAttribute("role");
      place.removeAttribute("aria-label");
    }
    input.setAttribute("aria-expanded", String(links.length > 0));
    input.removeAttribute("aria-activedescendant");
    if (answered !== input.value) return; // the answer to a word that was not typed out yet
    const hurried = "hurried" in place.dataset;
    delete place.dataset.stale;
    delete place.dataset.hurried;
    if (hurried) links[0]?.click();
  };

  const openSide = (open) => {
    document.body.classList.toggle("side-open", open);
    const button = document.querySelector("[data-toggle-side]");
    button?.setAttribute("aria-expanded", String(open));
    if (open) document.querySelector("#side a")?.focus();
  };

  const countSelected = (form) => {
    const boxes = [...form.querySelectorAll("input[data-pick]")].filter((box) => !box.disabled);
    const chosen = boxes.filter((box) => box.checked).length;
    form.querySelectorAll("[data-count]").forEach((place) => { place.textContent = String(chosen); });
    form.querySelectorAll("[data-needs-choice]").forEach((place) => { place.disabled = chosen === 0; });
    form.querySelectorAll("[data-bulk]").forEach((place) => { place.hidden = chosen === 0; });
    form.querySelectorAll("input[data-pick-all]").forEach((all) => {
      const scope = all.closest("[data-pick-scope]") ?? form;
      const inside = boxes.filter((box) => scope.contains(box));
      const ticked = inside.filter((box) => box.checked).length;
      all.checked = inside.length > 0 && ticked === inside.length;
      all.indeterminate = ticked > 0 && ticked < inside.length;
    });
  };

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest(selector);
    const button = on("[data-copy]");
    if (button) { copy(button); return; }
    if (on("[data-theme-toggle]")) { toggleTheme(); return; }
    if (on("[data-open-palette]")) { event.preventDefault(); openPalette(); return; }
    const isOpen = document.body.classList.contains("side-open");
    if (on("[data-toggle-side]")) { openSide(!isOpen); return; }
    if (isOpen && !on("#side")) openSide(false);
    const dialog = palette();
    if (dialog?.open && (event.target === dialog || on("#palette-results a"))) dialog.close();
  });

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); openPalette(); return; }
    if (event.key === "Escape" && document.body.classList.contains("side-open")) {
      openSide(false);
      document.querySelector("[data-toggle-side]")?.focus();
      return;
    }
    const dialog = palette();
    if (!dialog?.open) return;
    if (event.key === "ArrowDown") { event.preventDefault(); move(1); }
    if (event.key === "ArrowUp") { event.preventDefault(); move(-1); }
    if (event.key === "Enter") {
      const place = document.getElementById("palette-results");
      // What stands there answers an earlier word: the answer to this one is opened when it comes.
      if ("stale" in place.dataset) {
        if (!("hurried" in place.dataset)) event.preventDefault(); // a second Enter opens the page of the search
        place.dataset.hurried = "";
        return;
      }
      const chosen = dialog.querySelector("#palette-results a.is-current") ?? hits()[0];
      if (chosen) { event.preventDefault(); chosen.click(); }
    }
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form");
    if (!form) return;
    if (event.target.matches("input[data-pick-all]")) {
      const scope = event.target.closest("[data-pick-scope]") ?? form;
      scope.querySelectorAll("input[data-pick]").forEach((box) => { if (!box.disabled) box.checked = event.target.checked; });
    }
    if (event.target.matches("input[data-pick], input[data-pick-all]")) countSelected(form);
    if (event.target.matches("[data-submit-on-change]")) form.requestSubmit();
  });

  // A destructive button stays shut until the name has been typed; the server asks for it again.
  document.addEventListener("input", (event) => {
    if (event.target.closest?.("#palette")) document.getElementById("palette-results").dataset.stale = "";
    const wanted = event.target.dataset?.typed;
    if (wanted === undefined) return;
    event.target.form.querySelectorAll("[data-needs-typed]").forEach((button) => {
      button.disabled = event.target.value.trim() !== wanted;
    });
  });

  // Times stand in UTC in the page. Here they turn to the reader's own zone; the title keeps UTC.
  const localTimes = () => {
    const zone = document.getElementById("zone");
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone && here !== "UTC") zone.textContent = `times are in ${here}, UTC on hover`;
    document.querySelectorAll("time[datetime]").forEach((time) => {
      const date = new Date(time.dateTime);
      if (Number.isNaN(date.valueOf()) || time.dataset.done) return;
      time.dataset.done = "";
      const local = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
      if ("local" in time.dataset) time.textContent = local;
      else time.title = `${local} · ${time.title}`;
    });
  };

  // What was typed in the moment between a new page's coming and its waking up has asked nobody yet.
  const askForTyped = () => {
    const dialog = palette();
    if (!dialog?.open || !("stale" in document.getElementById("palette-results").dataset)) return;
    const input = dialog.querySelector("input");
    window.htmx.ajax("GET", input.getAttribute("hx-get"), { source: input, target: "#palette-results" });
  };

  const settle = () => {
    localTimes();
    document.querySelectorAll("form").forEach((form) => { if (form.querySelector("input[data-pick], [data-bulk]")) countSelected(form); });
    document.querySelectorAll("[data-typed]").forEach((input) => {
      input.form?.querySelectorAll("[data-needs-typed]").forEach((button) => { button.disabled = true; });
    });
  };
  document.addEventListener("DOMContentLoaded", settle);
  document.addEventListener("htmx:afterSettle", (event) => {
    settle();
    if (event.target.id === "palette-results") dressHits(new URL(event.detail.xhr.responseURL).searchParams.get("q"));
    if (event.target === document.body) {
      openSide(false);
      askForTyped();
    }
  });

  // A large file: how much has been sent, then that the server is at work on it. Events of the answer come under the
  // same name, so the first one that says "all sent" ends the counting.
  const upload = (event, show) => {
    const form = event.target.closest?.("form[data-upload]");
    const place = form?.querySelector("[data-upload-progress]");
    if (place) show(place, place.querySelector("progress"), place.querySelector("[data-upload-words]"));
  };
  document.addEventListener("htmx:beforeRequest", (event) => upload(event, (place, bar, words) => {
    place.hidden = false;
    bar.value = 0;
    words.textContent = "Sending the file";
  }));
  document.addEventListener("htmx:xhr:progress", (event) => upload(event, (place, bar, words) => {
    const { lengthComputable, loaded, total } = event.detail;
    if (!bar.hasAttribute("value") || !lengthComputable) return;
    bar.value = (100 * loaded) / total;
    if (loaded < total) return;
    bar.removeAttribute("value");
    words.textContent = "The server goes through the rows";
  }));
  document.addEventListener("htmx:afterRequest", (event) => upload(event, (place) => { place.hidden = true; }));
  // What was found out about one file says nothing of another.
  document.addEventListener("change", (event) => {
    if (event.target.matches("form[data-upload] input[type='file']")) document.getElementById("outcome")?.replaceChildren();
  });

  // What is shown once must not come back from the browser's memory of pages that were left.
  window.addEventListener("pagehide", () => {
    document.querySelectorAll("[data-once]").forEach((place) => { place.textContent = ""; });
  });

  // A view that could not be fetched says so instead of leaving the old one on screen without a word.
  document.addEventListener("htmx:sendError", () => {
    const place = document.getElementById("offline");
    if (place) place.hidden = false;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const place = document.getElementById("offline");
    if (place && event.detail.successful) place.hidden = true;
  });
})();
