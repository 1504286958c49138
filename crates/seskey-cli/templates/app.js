// The live parts. Everything else works without this file.
"use strict";

// A list that is told more, line by line, until its page is to be read anew.
for (const list of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(list.dataset.live);
  source.addEventListener("line", (event) => {
    // the page may have it already
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
