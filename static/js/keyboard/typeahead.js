// Keys that come before what they are meant for. While something that was asked for is on its way (a
// conversation, a dialog, another list), keys are kept, and played in their order when it is there.
// If it does not come, they are dropped, and said: they were not meant for what is still shown.
import { emit, on } from "../events.js";
import { text } from "../page/texts.js";
import { acted, deepActive, intent, lastWasKey, takesKeys } from "./focus.js";

const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Fn"]);
const NAMES = { Enter: " ⏎ ", Escape: " Esc ", Backspace: " ⌫ " };
const PATIENCE_MS = 20_000;
const DEAF_MS = 1_200;
const MOST_SHOWN = 200;

let waiting = null;
const kept = [];
let dropped = "";
let why = "";
let deafTimer = 0;
let cause = null;

export function startTypeahead() {
  window.addEventListener("keydown", gate, true);
  window.addEventListener("pointerdown", pointed, true);
  document.addEventListener("htmx:beforeRequest", asked);
  document.addEventListener("htmx:afterSettle", ({ detail }) => answered(detail.xhr));
  for (const name of ["responseError", "sendError", "sendAbort", "swapError", "afterRequest"]) {
    document.addEventListener(`htmx:${name}`, ({ detail }) => broke(detail.xhr));
  }
  on("signed-out", () => waiting && failed(waiting));
}

/**
 * From now on keys are kept. What was waited for before counts no more, its keys do.
 * `row`: the row that is being opened. Returns the name by which its end is told.
 */
export function waitFor({ row = "", xhr = null } = {}) {
  clearTimeout(waiting?.timer);
  const { byKey, still } = cause ?? { byKey: lastWasKey(), still: intent() };
  const one = { row, xhr, byKey, still };
  one.timer = setTimeout(() => failed(one), PATIENCE_MS);
  waiting = one;
  return one;
}

export function isAwaited(one) {
  return waiting === one;
}

/** What is asked for within `act` is asked for on account of the same key or click as before. */
export function onAccountOf(one, act) {
  cause = one;
  act();
  cause = null;
}

/** What is on its way: the row that is being opened, whether by key, whether still wanted. */
export function awaited() {
  return waiting;
}

/** It is there: what was typed meanwhile is meant for it. */
export function arrived(one) {
  if (waiting !== one) return;
  clearTimeout(one.timer);
  waiting = null;
  play();
}

/** It does not come. The person may type on for a moment before they see that. */
export function failed(one, words = "") {
  if (waiting !== one) return;
  clearTimeout(one.timer);
  waiting = null;
  refuse(words || text("not_opened"));
}

/** Says why nothing was done, and hears no key until the person pauses. */
export function refuse(words) {
  dropped = "";
  why = words;
  dropAll(kept.splice(0));
  deafen();
}

function asked({ detail }) {
  const { elt, target, xhr } = detail;
  const opensByKey =
    lastWasKey() && (elt.closest?.("[data-opens-dialog]") || (target?.id === "list-pane" && elt.matches("a")));
  if (target?.id !== "conversation-pane" && !opensByKey) return;
  waitFor({ row: elt.closest?.("#conversation-rows > li")?.id ?? "", xhr });
}

function answered(xhr) {
  if (waiting?.xhr && waiting.xhr === xhr) arrived(waiting);
}

/** A moment later: a request that takes its place may be what ended it. */
function broke(xhr) {
  setTimeout(() => waiting?.xhr && waiting.xhr === xhr && !xhr.isRepeated && failed(waiting));
}

/** Before every other listener. */
function gate(event) {
  if (MODIFIERS.has(event.key)) return;
  if (!event.isTrusted || !(waiting || deafTimer) || !isMeantForLater(event)) {
    if (event.isTrusted && kept.length) dropAll(kept.splice(0));
    acted({ key: true });
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  const { key, shiftKey, ctrlKey, metaKey, repeat } = event;
  const one = { key, shiftKey, ctrlKey, metaKey, repeat };
  if (waiting) kept.push(one);
  else {
    dropAll([one]);
    deafen();
  }
}

function isMeantForLater(event) {
  if (event.isComposing || event.keyCode === 229) return false;
  if (takesKeys(deepActive()) || document.querySelector("dialog[open]")) return false;
  if (event.ctrlKey || event.metaKey || event.altKey) return event.key === "Enter";
  // Walking on counts at once: the last row that was asked for is opened.
  const walks = waiting?.row && waiting.byKey && !kept.length && "shortcuts" in document.body.dataset;
  if (walks && (event.key === "j" || event.key === "k")) return false;
  return event.key.length === 1 || event.key in NAMES;
}

/** The pointer goes elsewhere: what was typed for the other place is not used. */
function pointed() {
  clearTimeout(deafTimer);
  deafTimer = 0;
  dropped = why = "";
  if (kept.length) dropAll(kept.splice(0));
}

function deafen() {
  clearTimeout(deafTimer);
  deafTimer = setTimeout(() => {
    deafTimer = 0;
  }, DEAF_MS);
}

function dropAll(keys) {
  dropped = (dropped + keys.map(({ key }) => NAMES[key] ?? key).join("")).slice(-MOST_SHOWN);
  const typed = dropped.trim() && text("keys_dropped", { keys: dropped.trim() });
  const said = [why, typed].filter(Boolean).join(" ");
  if (said) emit("said", { words: said });
}

function play() {
  dropped = why = "";
  while (kept.length && !waiting) {
    const one = kept.shift();
    acted({ key: true });
    again(one);
    const isLost = (one.key === "r" || one.key === "n") && kept.length && !waiting && !takesKeys(deepActive());
    if (isLost) refuse(text("no_reply_here"));
  }
}

/** As if it were pressed now: the same listeners hear it, and what a browser would do is done here. */
function again(one) {
  const target = deepActive() ?? document.body;
  const event = new KeyboardEvent("keydown", { ...one, bubbles: true, composed: true, cancelable: true });
  if (!target.dispatchEvent(event)) return;
  if (takesKeys(target)) write(target, one);
  else if (one.key === "Enter" && target.matches("button, summary, [type=submit]")) target.click();
  else if (one.key === "Escape") document.querySelector("dialog[open]")?.close();
}

function write(field, { key, ctrlKey, metaKey }) {
  if (ctrlKey || metaKey || typeof field.setRangeText !== "function" || field.readOnly) return;
  if (key === "Enter" && !field.matches("textarea")) {
    field.form?.requestSubmit();
    return;
  }
  const words = key === "Enter" ? "\n" : key;
  const { selectionStart: from, selectionEnd: to } = field;
  if (from === null) return;
  if (key === "Backspace") field.setRangeText("", from === to ? Math.max(0, from - 1) : from, to, "end");
  else if (words.length === 1) field.setRangeText(words, from, to, "end");
  else return;
  field.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true, inputType: "insertText" }));
}
