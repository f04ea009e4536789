// The list of conversations: which row is open, rows that hold still under the pointer, arrows.
import { holdRows } from "./upsert.js";

export function startList() {
  const list = document.getElementById("conversation-rows");
  if (!list) return;
  for (const kind of ["pointermove", "pointerdown"]) {
    list.addEventListener(kind, holdRows, { passive: true });
  }
  list.addEventListener("keydown", walk);
  document.addEventListener("console:settled", markOpen);
  document.addEventListener("console:drawn", () => {
    for (const empty of document.querySelectorAll("[data-when-empty]")) {
      empty.hidden = Boolean(document.getElementById(empty.dataset.whenEmpty)?.children.length);
    }
    markOpen();
  });
}

function markOpen() {
  const open = document.getElementById("thread")?.dataset.conversation;
  for (const link of document.querySelectorAll("#conversation-rows > li > a")) {
    const isOpen = link.parentElement.id === `conversation-${open}`;
    if (isOpen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function walk(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  const links = [...event.currentTarget.querySelectorAll(":scope > li > a")];
  const at = links.indexOf(document.activeElement);
  if (!(event.key in steps) || at < 0) return;
  event.preventDefault();
  links[Math.max(0, Math.min(links.length - 1, at + steps[event.key]))].focus();
}
