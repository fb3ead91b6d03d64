// What the pages do better with a script than without: nothing here is needed.
"use strict";

// Copying what is shown once.
async function copy(code) {
  if (navigator.clipboard) return navigator.clipboard.writeText(code.textContent);
  // Browsers give that only to HTTPS and to loopback addresses.
  getSelection().selectAllChildren(code);
  if (!document.execCommand("copy")) throw new Error("not copied");
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  const label = button.firstChild.data;
  button.addEventListener("click", async () => {
    try {
      await copy(button.parentElement.querySelector("code"));
      button.firstChild.data = "Copied";
    } catch { button.firstChild.data = "Not copied"; }
    button.setAttribute("aria-live", "polite");
    setTimeout(() => { button.firstChild.data = label; }, 1500);
  });
}

// A choice that sends its form; the button beside it is for who has no script.
for (const select of document.querySelectorAll("select[data-sends]")) {
  const button = select.form.querySelector("button");
  if (select.form.querySelectorAll("select").length === 1 && button) button.hidden = true;
  select.addEventListener("change", () => select.form.requestSubmit());
}

// All events, or some of them.
for (const all of document.querySelectorAll("[data-all]")) {
  const parts = all.form.querySelector("[data-parts]");
  const show = () => { parts.hidden = all.checked; };
  all.addEventListener("change", show);
  show();
}

// A form that makes something is sent once, however often it is pressed.
for (const number of document.querySelectorAll("input[name=once]")) {
  let isSent = false;
  number.form.addEventListener("submit", (event) => {
    if (isSent) event.preventDefault();
    isSent = true;
  });
}

// What is wrong is read out first.
const faults = document.getElementById("faults");
if (faults) faults.focus();

// A replay goes on by itself.
const goesOn = document.querySelector("form[data-goes-on]");
if (goesOn) setTimeout(() => goesOn.requestSubmit(goesOn.querySelector("button")), 150);

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// A page that looks again: soon while an answer is expected, else now and then.
async function refresh() {
  const live = () => document.querySelector("[data-live]");
  while (live()) {
    const isSoon = live().hasAttribute("data-soon");
    await pause(isSoon ? 500 : 10000);
    if (document.hidden || live().contains(document.activeElement) || !getSelection().isCollapsed) continue;
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!response.ok || response.redirected) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.querySelector(`[data-live="${live().dataset.live}"]`);
      if (!fresh) return;
      const state = page.querySelector("main > .head > .state");
      if (state) document.querySelector("main > .head > .state")?.replaceWith(document.adoptNode(state));
      live().replaceWith(document.adoptNode(fresh));
      if (isSoon && !fresh.hasAttribute("data-soon")) return;
    } catch { await pause(5000); }
  }
}
if (document.body.hasAttribute("data-refreshes")) refresh();

// Events as they happen.
async function follow(note) {
  const rows = document.getElementById("event-rows");
  let last = note.dataset.follow;
  note.hidden = false;
  for (;;) {
    try {
      const response = await fetch(`/events/after?after=${last}`);
      if (response.status === 401) { note.textContent = "Signed out"; return; }
      if (!response.ok) throw new Error(String(response.status));
      note.textContent = "Live";
      if (response.status === 204) continue;
      last = response.headers.get("Hirewire-Last") ?? last;
      const page = new DOMParser().parseFromString(`<table><tbody>${await response.text()}</tbody></table>`, "text/html");
      rows.querySelector(".none")?.remove();
      rows.prepend(...[...page.querySelectorAll("tr")].map((row) => document.adoptNode(row)));
      while (rows.children.length > 500) rows.lastElementChild.remove();
    } catch { note.textContent = "Connecting again…"; await pause(2000); }
  }
}
const note = document.querySelector("[data-follow]");
if (note) follow(note);
