// Nothing waits in silence. What was clicked is marked at once; what takes longer than a moment
// shows a line at the top, and a conversation that comes shows its shape under the right name.
// A button that works says so and is not pressed twice. What is typed never reaches the
// conversation that was left: it is out of reach from the click on.
import { on } from "../events.js";
import { takesKeys } from "../keyboard/focus.js";
import { announce, text } from "../page/texts.js";

export const PATIENCE_MS = 200;
const PANE = "conversation-pane";
const LIST = "list-pane";

/** What waits for an answer: request → how to end its marks. */
const pending = new Map();
let opening = null;
let coming = null;
let timer = 0;
let pressed = null;

export function startProgress({ patienceMs = PATIENCE_MS } = {}) {
  document.addEventListener("htmx:beforeSend", ({ detail }) => begin(detail, patienceMs));
  on("drawn", () => {
    markRow();
    markView(coming);
  });
  document.addEventListener("click", guard, { capture: true });
  document.addEventListener("submit", guard, { capture: true });
  document.addEventListener(
    "click",
    ({ target }) => {
      pressed = target.closest?.("a[href], button") ?? null;
    },
    { capture: true },
  );
  document.addEventListener("submit", leaveByForm);
  window.addEventListener("beforeunload", () => leaveByLink(patienceMs));
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) endAll();
  });
}

function begin({ elt, target, xhr, requestConfig }, patienceMs) {
  // Asked for by the page itself, not by a person: nobody waits for it.
  if (elt === document.body || elt.id === LIST || elt.matches("[data-composer]")) return;
  const ends = [markControl(controlOf(elt, requestConfig))];
  const path = requestConfig.path.split("?")[0];
  if (target?.id === PANE && requestConfig.verb === "get") ends.push(open(path));
  if (target?.id === LIST) ends.push(list(elt, target));
  pending.set(xhr, ends);
  // Not by an event of the element: it may be gone from the page by then.
  xhr.addEventListener("loadend", () => end(xhr));
  if (!timer) timer = setTimeout(showLine, patienceMs);
}

function end(xhr) {
  const ends = pending.get(xhr);
  if (!ends) return;
  pending.delete(xhr);
  for (const one of ends) one?.();
  if (!pending.size) hideLine();
}

function endAll() {
  for (const xhr of [...pending.keys()]) end(xhr);
  for (const one of document.querySelectorAll("[aria-busy]")) rest(one);
  hideLine();
}

/** What the person pressed: the link, the button of the form, or the form's first one. */
function controlOf(elt, { triggeringEvent }) {
  if (elt.matches("a, button")) return elt;
  return triggeringEvent?.submitter ?? (elt.matches("form") ? elt.querySelector("button[type=submit]") : null);
}

function markControl(control) {
  if (!control) return null;
  control.setAttribute("aria-busy", "true");
  return () => rest(control);
}

function rest(control) {
  control.removeAttribute("aria-busy");
}

/** A button that works is not pressed again; it keeps the focus, as `disabled` would not. */
function guard(event) {
  const control = event.type === "submit" ? event.submitter : event.target.closest?.("button");
  if (control?.getAttribute("aria-busy") !== "true") return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** A plain form leads to another page. */
function leaveByForm(event) {
  if (event.defaultPrevented || event.target.method === "dialog") return;
  const button = event.submitter ?? event.target.querySelector("button[type=submit]");
  // After the form was read: the button's own value is part of it.
  setTimeout(() => markControl(button));
  pressed = button;
}

function leaveByLink(patienceMs) {
  if (!pressed?.isConnected || pressed.hasAttribute("download") || pressed.target === "_blank") return;
  markControl(pressed);
  if (!timer) timer = setTimeout(showLine, patienceMs);
}

// The line and what stands in place of what comes

function showLine() {
  const line = document.getElementById("progress");
  if (line) line.hidden = false;
  const list = document.getElementById(LIST);
  if (list?.ariaBusy === "true") list.classList.add("is-waiting");
  if (opening) {
    document.getElementById(PANE)?.append(shape(opening.name));
    announce(text("opening", { name: opening.name }));
  }
}

function hideLine() {
  clearTimeout(timer);
  timer = 0;
  const line = document.getElementById("progress");
  if (line) line.hidden = true;
  document.getElementById(LIST)?.classList.remove("is-waiting");
}

/** A conversation without its words: the name is known from its row. */
function shape(name) {
  const skeleton = document.getElementById("conversation-skeleton").content.firstElementChild.cloneNode(true);
  skeleton.querySelector("[data-skeleton-name]").textContent = name;
  return skeleton;
}

// A conversation that comes

function open(path) {
  const pane = document.getElementById(PANE);
  const id = /\/(\d+)\/$/.exec(path)?.[1] ?? "";
  const open = document.getElementById("open-conversation");
  if (!id || open?.dataset.conversation === id) return null;
  const row = document.getElementById(`conversation-${id}`);
  const one = { id, name: row?.querySelector(".who")?.textContent ?? "" };
  const held = pane.contains(document.activeElement) ? document.activeElement : null;
  opening = one;
  pane.setAttribute("aria-busy", "true");
  for (const part of pane.children) part.inert = true;
  markRow();
  return () => {
    if (opening === one) opening = null;
    if (opening) return;
    pane.removeAttribute("aria-busy");
    pane.querySelector(".conversation-skeleton")?.remove();
    // Nothing came: the one that was left is here again. Its text fields are not given the focus:
    // the person had left them.
    for (const part of pane.children) part.inert = false;
    if (held?.isConnected && document.activeElement === document.body) {
      const near = takesKeys(held) ? row?.querySelector("a") : held;
      near?.focus({ preventScroll: true });
    }
    markRow();
  };
}

/** The row is the open one from the click on, also when it is drawn anew meanwhile. */
function markRow() {
  const open = opening?.id ?? document.getElementById("open-conversation")?.dataset.conversation;
  for (const link of document.querySelectorAll("#conversation-rows > li > a")) {
    const id = link.parentElement.id;
    const isOpen = id === `conversation-${open}`;
    if (isOpen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    link.toggleAttribute("data-opening", Boolean(opening) && isOpen);
  }
}

// A list that comes

function list(elt, pane) {
  const group = elt.closest(".rail-views, .list-sorts, .view-menu");
  const before = group?.querySelector("[aria-current]") ?? null;
  const value = before?.getAttribute("aria-current") ?? "page";
  const one = group && { group, elt, value };
  pane.setAttribute("aria-busy", "true");
  coming = one;
  markView(one);
  return () => {
    if (coming === one) coming = null;
    pane.removeAttribute("aria-busy");
    pane.classList.remove("is-waiting");
    // It did not come: the one before is still shown.
    if (one && pane.isConnected) markView({ ...one, elt: before });
  };
}

/** The rail may be drawn anew meanwhile, as the list that is still shown would have it. */
function markView(one) {
  if (!one) return;
  for (const link of one.group.querySelectorAll("[aria-current]"))
    if (link !== one.elt) link.removeAttribute("aria-current");
  one.elt?.setAttribute("aria-current", one.value);
}
