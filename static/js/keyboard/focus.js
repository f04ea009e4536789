// The focus is the person's. A key or a click moves it; nothing that arrives does. When what held it
// was drawn over or taken away, the same control gets it, or else something near that takes no text.
import { on } from "../events.js";

const CONTROLS = "a[href], button:not([disabled]), input:not([type=hidden]), textarea, select, summary, [tabindex]";
const NO_TEXT = "[type=checkbox], [type=radio], [type=range], [type=submit], [type=button], [type=reset], [type=file]";
const TAKES_KEYS = `textarea, select, video, audio, emoji-picker, input:not(${NO_TEXT})`;
const STOOD = "weilink-stood";
const RESTS_MS = 1_000;

let acts = 0;
let byKey = false;
let lastActAt = 0;
let lost = null;
const arrivedFrom = recall();

export function startFocus() {
  window.addEventListener("pointerdown", () => acted({ key: false }), true);
  window.addEventListener("click", clicked, true);
  document.addEventListener("htmx:beforeSwap", remember);
  on("drawing", remember);
  document.addEventListener("htmx:afterSwap", restore);
  document.addEventListener("htmx:afterSettle", done);
  on("drawn", done);
  window.addEventListener("pagehide", keep);
}

function clicked({ isTrusted }) {
  if (isTrusted) acts += 1;
}

/** The person did something. What was begun before moves the focus no more. */
export function acted({ key }) {
  acts += 1;
  byKey = key;
  lastActAt = performance.now();
}

export function lastWasKey() {
  return byKey;
}

/** Asked later, it says whether the person has done nothing since now. */
export function intent() {
  const then = acts;
  return () => acts === then;
}

/** What has the focus, within shadow roots too. */
export function deepActive() {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return one;
}

/** Whether keys of one letter mean something there: text, a choice in a select, a player's own keys. */
export function takesKeys(element) {
  return Boolean(element?.matches?.(TAKES_KEYS) || element?.isContentEditable);
}

/** Whether an event of the keyboard belongs to such a thing, wherever its shadow hides it. */
export function isTyped(event) {
  return event.composedPath().some(takesKeys) || takesKeys(document.activeElement) || takesKeys(deepActive());
}

/** How the page was come to: by a key, by the pointer, or anew with the reply in hand. */
export function arrival() {
  const type = performance.getEntriesByType("navigation")[0]?.type;
  const same = arrivedFrom?.path === location.pathname;
  if (type === "reload") return { wasInReply: Boolean(same && arrivedFrom.inReply), caret: arrivedFrom?.caret };
  return { byKey: Boolean(arrivedFrom?.byKey), isBack: type === "back_forward" };
}

/** The page asks for itself anew, once nobody is in the middle of a word. */
export function reloadAtRest() {
  const wait = takesKeys(deepActive()) ? RESTS_MS - (performance.now() - lastActAt) : 0;
  if (wait > 0) setTimeout(reloadAtRest, wait);
  else location.reload();
}

function keep() {
  const field = document.querySelector("[data-composer] textarea");
  const inReply = Boolean(field) && document.activeElement === field;
  const stood = { path: location.pathname, byKey: byKey && acts > 0, inReply, caret: field?.selectionStart };
  try {
    sessionStorage.setItem(STOOD, JSON.stringify(stood));
  } catch {
    // storage is blocked: the next page begins without
  }
}

function recall() {
  try {
    const stood = JSON.parse(sessionStorage.getItem(STOOD) ?? "null");
    sessionStorage.removeItem(STOOD);
    return stood;
  } catch {
    return null;
  }
}

function remember() {
  const held = document.activeElement;
  lost = null;
  if (!held || held === document.body) return;
  const ids = [];
  for (let one = held; one; one = one.parentElement) if (one.id) ids.push(one.id);
  lost = { held, ids, still: intent() };
}

function restore() {
  if (!lost || document.activeElement !== document.body || document.querySelector("dialog[open]")) return;
  if (!lost.still()) return;
  const home = sameControl() ?? lost.ids.map(controlIn).find(Boolean) ?? document.getElementById("conversation-scroll");
  home?.focus({ preventScroll: true });
}

function done() {
  restore();
  lost = null;
}

/** The control itself, moved or drawn anew: the person was in it. */
function sameControl() {
  if (lost.held.isConnected) return lost.held;
  return lost.held.id ? document.getElementById(lost.held.id) : null;
}

/** Never a field: what is typed next was not meant for it. */
function controlIn(id) {
  const place = document.getElementById(id);
  if (!place) return null;
  const inside = [place, ...place.querySelectorAll(CONTROLS)].filter((one) => one.matches(CONTROLS) && !takesKeys(one));
  return inside.find((one) => one.checkVisibility({ visibilityProperty: true }));
}
