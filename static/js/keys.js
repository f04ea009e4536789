// Keys of one letter: they press the visible control that carries them (`data-key`), walk the list
// (`j`, `k`) and go to places (`g`, then the letter in `data-go`). None while somebody types, none
// in a dialog, none at all for who switched them off.
import { openPalette } from "./palette.js";

const SEQUENCE_MS = 1_500;
const TYPED_IN = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=range], [type=submit], [type=button])";

let goUntil = 0;
let walkedTo = "";
let stood = { id: "", at: 0 };

export function startKeys() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-opens-keys]")) showKeys();
    if (target.closest("[data-opens-palette]")) openPalette();
  });
  document.addEventListener("console:opened", stay);
  document.addEventListener("console:settled", () => {
    declare();
    noteWhere();
  });
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
  if (event.key === "Escape" && event.target.matches?.("[data-composer] textarea")) leave(event.target);
  if (document.querySelector("dialog[open]") || event.target.closest?.(TYPED_IN)) return;
  if (act(event)) event.preventDefault();
}

function act(event) {
  const key = event.shiftKey && /^[A-Z]$/.test(event.key) ? `Shift+${event.key}` : event.key;
  if (goUntil > Date.now()) {
    goUntil = 0;
    return go(key);
  }
  if (key === "j" || key === "k") return walk(key === "j" ? 1 : -1);
  if (event.repeat) return false;
  if (key === "?") return showKeys();
  if (key === "g") {
    goUntil = Date.now() + SEQUENCE_MS;
    return true;
  }
  if (key === "r" || key === "n") return write(key);
  // Rows carry their place in the list in the same attribute; no place is so short.
  return /^(Shift\+)?.$/u.test(key) && press(`[data-key="${CSS.escape(key)}"]`);
}

export function visible(selector) {
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
  if (control.matches(TYPED_IN)) {
    control.focus();
    control.select?.();
  } else control.click();
  return true;
}

/** The place may stand in a closed menu: it is gone to all the same. */
function go(letter) {
  const place = document.querySelector(`[data-go="${CSS.escape(letter)}"]`);
  place?.click();
  return Boolean(place);
}

function rows() {
  return [...document.querySelectorAll("#conversation-rows > li.conversation")];
}

function linkOf(row) {
  return row?.querySelector("a[href]");
}

/** Where the open row stood when it was opened, for when it leaves the list. */
function noteWhere() {
  const all = rows();
  const at = all.findIndex(isOpen);
  if (at < 0 || all[at].id === stood.id) return;
  stood = { id: all[at].id, at };
}

function isOpen(row) {
  return Boolean(linkOf(row)?.matches("[aria-current]"));
}

/** The conversation after or before the open one. */
function walk(step) {
  const all = rows();
  // One that was asked for and is not drawn yet counts: keys may come faster than answers.
  const at = all.findIndex((row) => (walkedTo ? row.id === walkedTo : isOpen(row)));
  const next = all[at < 0 ? leftAt(step) : at + step];
  if (!next) return false;
  openRow(next);
  return true;
}

/** Where to go on when the open row left the list: to the one that came into its place. */
function leftAt(step) {
  if (!document.getElementById("thread")) return 0;
  return Math.min(step > 0 ? stood.at : stood.at - 1, rows().length - 1);
}

/** By key: the focus stays in the list for the next one. */
export function openRow(row) {
  walkedTo = row.id;
  const link = linkOf(row);
  link.focus();
  link.click();
}

/** Out of the field, so that letters are keys again. */
function leave(area) {
  const link = linkOf(rows().find(isOpen));
  if (link?.checkVisibility()) link.focus();
  else area.blur();
}

function stay() {
  if (!walkedTo) return;
  linkOf(document.getElementById(walkedTo))?.focus({ preventScroll: true });
  walkedTo = "";
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
