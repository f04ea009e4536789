// One native dialog: filled by htmx, opened when its content is there, emptied when it closes.
// Closing it never cancels a login: others may watch the same code. What it shows is a page of its
// own as well (`#card`), for who opens it in a new tab.
import { on } from "../events.js";
import { deepActive, takesKeys } from "../keyboard/focus.js";
import { fetchNews } from "../live/news.js";

const READ_MS = 1_400;

let opener = null;
let openerKey = "";
let asked = "";

export function startDialogs() {
  const dialog = document.getElementById("dialog");
  const body = document.getElementById("dialog-body");
  if (!dialog) return;
  document.addEventListener("htmx:beforeRequest", remember);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === body && body.firstElementChild) show(dialog);
  });
  on("settled", takeFocus);
  on("settled", askForLogin);
  on("drawn", () => takesKeys(deepActive()) || takeFocus());
  on("drawn", watchLogin);
  on("answered", (detail) => {
    if (detail.elt.matches("[data-cancels]")) leave(document.querySelector("[data-login-id]"));
    if (dialog.contains(detail.elt) && !detail.elt.closest("[data-login-id]")) dialog.close();
  });
  dialog.addEventListener("click", (event) => closeFor(event, dialog));
  askForLogin();
  dialog.addEventListener("close", () => closed(body));
}

function remember(event) {
  const trigger = event.detail.elt.closest("[data-opens-dialog]");
  if (!trigger) return;
  opener = trigger.matches("form") ? trigger.querySelector("button") : trigger;
  openerKey = trigger.closest("[id]")?.id ?? "";
  const menu = opener.closest("details");
  if (menu) opener = menu.querySelector("summary");
}

function show(dialog) {
  if (!dialog.open) dialog.showModal();
  takeFocus();
}

/** On a page of its own only from nowhere or from within it: the person may be doing something else. */
function takeFocus() {
  const place = document.querySelector("dialog[open]") ?? document.getElementById("card");
  if (place?.id === "card" && document.activeElement !== document.body && !place.contains(document.activeElement))
    return;
  const field = place?.querySelector("[data-takes-focus]");
  if (field && !field.dataset.focused) {
    field.dataset.focused = "yes";
    field.focus();
    field.select?.();
  }
}

function closeFor(event, dialog) {
  if (event.target.closest("[data-closes-dialog]") || event.target === dialog) {
    event.preventDefault();
    dialog.close();
  }
}

function closed(body) {
  body.replaceChildren();
  const home = opener?.isConnected ? opener : document.querySelector(`#${openerKey || "main"} a`);
  opener = null;
  home?.focus({ preventScroll: true });
}

/** The code may have come between the panel's drawing and its arrival here. */
function askForLogin() {
  const id = document.querySelector("[data-login-id]")?.dataset.loginId ?? "";
  if (id && id !== asked) fetchNews();
  asked = id;
}

/** A login that is confirmed or cancelled closes by itself; the words stay for a moment.
 * Whoever cancelled it knows: there it closes at once. */
function watchLogin() {
  const panel = document.querySelector("[data-login-id]");
  if (!panel || panel.dataset.leaving) return;
  const { status } = panel.dataset;
  if (status !== "confirmed" && status !== "cancelled") return;
  panel.dataset.leaving = "yes";
  setTimeout(() => leave(panel), READ_MS);
}

function leave(panel) {
  if (!panel?.isConnected) return;
  const dialog = panel.closest("dialog");
  if (dialog) dialog.close();
  else location.replace(panel.dataset.board);
}
