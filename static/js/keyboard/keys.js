// Keys of one letter: they press the visible control that carries them (`data-key`), walk the list
// (`j`, `k`) and go to places (`g`, then the letter in `data-go`). None while something that takes
// text has the focus, none in a dialog, none at all for who switched them off.
import { on } from "../events.js";
import { resolveAndNext, walk } from "../inbox/walking.js";
import { isTyped } from "./focus.js";
import { openPalette } from "./palette.js";
import { awaited, waitFor } from "./typeahead.js";

const SEQUENCE_MS = 1_500;

let goUntil = 0;

export function startKeys() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-opens-keys]")) showKeys();
    if (target.closest("[data-opens-palette]")) openPalette();
  });
  on("settled", declare);
  declare();
}

function areOn() {
  return "shortcuts" in document.body.dataset;
}

function pressed(event) {
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    if (document.querySelector("dialog[open]:not(#palette)")) return;
    event.preventDefault();
    openPalette();
    return;
  }
  if (!areOn() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]") || isTyped(event)) return;
  if (act(event)) event.preventDefault();
}

function act(event) {
  const key = event.shiftKey && /^[A-Z]$/.test(event.key) ? `Shift+${event.key}` : event.key;
  if (goUntil > Date.now()) {
    goUntil = 0;
    if (go(key)) return true;
  }
  if (key === "j" || key === "k") return walk(key === "j" ? 1 : -1);
  if (event.repeat) return false;
  if (key === "?") return showKeys();
  if (key === "g") {
    goUntil = Date.now() + SEQUENCE_MS;
    return true;
  }
  if (key === "r" || key === "n") return write(key);
  if (key === "Shift+E") return resolveAndNext();
  // Rows carry their place in the list in the same attribute; no place is so short.
  return /^(Shift\+)?.$/u.test(key) && press(`[data-key="${CSS.escape(key)}"]`);
}

function visible(selector) {
  return [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility({ visibilityProperty: true }));
}

/** A reply or a note: the field of the open conversation, whichever of the two it was for. */
function write(key) {
  const field = document.querySelector("[data-composer] textarea");
  if (!field?.checkVisibility({ visibilityProperty: true })) return false;
  press(`[data-key="${key}"]`);
  field.focus();
  return true;
}

/** The narrow head shows fewer buttons than there are keys: those with `data-key-anyway` are pressed unseen. */
function press(selector) {
  const control = visible(selector)[0] ?? document.querySelector(`${selector}[data-key-anyway]`);
  if (!control) return false;
  if (control.matches("input:not([type=radio], [type=checkbox])")) {
    control.focus();
    control.select?.();
  } else control.click();
  return true;
}

/** The place may stand in a closed menu: it is gone to all the same. */
function go(letter) {
  const place = document.querySelector(`[data-go="${CSS.escape(letter)}"]`);
  if (!place) return false;
  const before = awaited();
  place.click();
  // Another page is on its way: no key is meant for this one any more.
  if (awaited() === before && new URL(place.href).pathname !== location.pathname) waitFor();
  return true;
}

/** Screen readers tell the key with the control. */
function declare() {
  if (!areOn()) return;
  for (const control of document.querySelectorAll("button[data-key], input[data-key], a[data-key]")) {
    control.setAttribute("aria-keyshortcuts", control.dataset.key);
  }
}

function showKeys() {
  const dialog = document.getElementById("keys");
  if (!dialog) return false;
  if (!dialog.open) dialog.showModal();
  return true;
}
