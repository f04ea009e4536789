// What was done is said over the page, moves nothing and leaves by itself; it stays while a pointer
// rests on it or the focus is in it. Where it can be undone, a button and a key do that.
import { on } from "../events.js";

export const SHOWN_MS = 6_000;

let region = null;
let timer = 0;
let cameFrom = null;

export function startToasts({ shownMs = SHOWN_MS } = {}) {
  region = document.getElementById("toasts");
  if (!region) return;
  on("said", (detail) => say(detail.words, detail.action));
  region.addEventListener("click", ({ target }) => {
    if (target.closest("[data-hides-toast]")) clear();
  });
  region.addEventListener("focusin", ({ relatedTarget }) => {
    if (!region.contains(relatedTarget)) cameFrom = relatedTarget;
  });
  for (const name of ["pointerenter", "focusin"]) region.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"]) region.addEventListener(name, () => setTimeout(wait));
  document.addEventListener("visibilitychange", wait);
  wait();

  function wait() {
    clearTimeout(timer);
    if (region.childElementCount && !isRead()) timer = setTimeout(clear, shownMs);
  }

  /** The newest takes the place of the one before. */
  function say(words, action) {
    const toast = document.getElementById("toast").content.firstElementChild.cloneNode(true);
    toast.querySelector("[data-toast-words]").textContent = words;
    const form = toast.querySelector("form");
    if (action) form.elements.action.value = action;
    else form.remove();
    const stays = region.contains(document.activeElement);
    region.replaceChildren(toast);
    htmx.process(toast);
    if (stays) giveBack();
    wait();
  }
}

/** Somebody rests on it, or cannot see the page. */
function isRead() {
  return document.hidden || region.matches(":hover") || region.matches(":focus-within");
}

function clear() {
  const stays = region.contains(document.activeElement);
  region.replaceChildren();
  if (stays) giveBack();
}

/** The focus goes back to where it came from, never into the void. */
function giveBack() {
  const home =
    cameFrom?.isConnected && cameFrom.checkVisibility() ? cameFrom : document.querySelector("#list-scroll, #main");
  home?.focus({ preventScroll: true });
}
