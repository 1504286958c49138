// The live parts of the pages. Everything else works without this file.
"use strict";

// A list that receives lines until its page is reloaded.
for (const list of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(list.dataset.live);
  source.addEventListener("line", (event) => {
    // the page may have the line already
    if (Number(event.lastEventId) <= list.children.length) return;
    const item = document.createElement("li");
    item.textContent = event.data;
    list.append(item);
  });
  source.addEventListener("reload", () => {
    source.close();
    location.reload();
  });
}

const focused = document.querySelector("[autofocus]");
if (focused) focused.focus();

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    document.getElementById("copied").textContent = "Copied.";
  });
}

// A page that is left keeps no secret, so that Back finds none.
addEventListener("pagehide", () => {
  for (const secret of document.querySelectorAll("[data-secret]")) {
    secret.textContent = "shown once";
  }
});

// Keyboard shortcuts, which are off in input fields.
function onKeys(keys) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
}

// The mailbox is reloaded when something has come or gone, and keeps the place of the reader.
const mailbox = document.querySelector("[data-mailbox]");
if (mailbox) {
  let here = null;
  let reading = false;
  let again = false;
  const rows = () => [...mailbox.querySelectorAll("tr[data-row]")];
  const current = () => rows().find((row) => row.dataset.row === here);
  const mark = (row, focus) => {
    rows().forEach((other) => other.classList.toggle("here", other === row));
    here = row ? row.dataset.row : null;
    if (row && focus) row.querySelector("a").focus();
  };
  const refresh = async () => {
    if (reading) { again = true; return; }
    reading = true;
    do {
      again = false;
      const answer = await fetch(location.href).catch(() => null);
      if (!answer || !answer.ok) break;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-mailbox]");
      if (fresh) {
        const inside = mailbox.contains(document.activeElement);
        const row = inside && document.activeElement.closest("tr[data-row]");
        const name = row && row.dataset.row;
        const place = row && [...row.querySelectorAll("a, button")].indexOf(document.activeElement);
        mailbox.replaceChildren(...fresh.childNodes);
        const same = rows().find((other) => other.dataset.row === name);
        if (same) same.querySelectorAll("a, button")[place]?.focus();
        mark(current(), false);
      }
      // many messages may come at once
      await new Promise((done) => setTimeout(done, 300));
    } while (again);
    reading = false;
  };
  const source = new EventSource("/_seskey/messages/stream");
  for (const name of ["message", "attempt", "deleted"]) source.addEventListener(name, refresh);
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  const press = (value) => {
    const row = current() || document.activeElement.closest?.("tr[data-row]");
    const button = row && row.querySelector(value);
    if (button) button.click();
  };
  const go = (by) => {
    const all = rows();
    mark(all[Math.max(0, Math.min(all.indexOf(current()) + by, all.length - 1))], true);
  };
  onKeys({
    j: () => go(1),
    k: () => go(-1),
    u: () => press('button[value="read"], button[value="unread"]'),
    Delete: () => press('button[value="delete"]'),
    "/": () => document.getElementById("query").focus(),
    "?": () => { const help = document.getElementById("keys"); help.open = !help.open; help.querySelector("summary").focus(); },
  });
}

// The same keys on the page of one message.
const single = document.querySelector("form[data-row]");
if (single) {
  const press = (value) => single.querySelector(`button[value="${value}"]`).click();
  onKeys({ u: () => press("unread"), Delete: () => press("delete") });
}
