// The list of conversations: which row is open, rows that hold still under pointer, focus and
// selection, the pill that lets them go, arrows. Every handler is the document's: the list itself
// is exchanged for another one with every view and filter.
import { on } from "../events.js";
import { fetchNews } from "../live/news.js";
import { shownList } from "../live/shown.js";
import { parse, rewind } from "../live/streams.js";
import { holdWhile, releaseRows } from "../live/upsert.js";
import { counted, text } from "../page/texts.js";

let known = null;
let pointerInside = false;
let stale = false;

export function startList() {
  holdWhile(isHeld);
  document.addEventListener("pointerover", point, { passive: true });
  document.addEventListener("pointerout", point, { passive: true });
  document.documentElement.addEventListener("pointerleave", point, { passive: true });
  document.addEventListener("focusout", () => setTimeout(letGo));
  document.addEventListener("keydown", walk);
  document.addEventListener("click", clicked);
  on("held", (detail) => showHeld(detail.count));
  on("selected", letGo);
  on("settled", adopt);
  on("drawn", drawn);
  document.addEventListener("htmx:afterSwap", closeDialog);
  adopt();
}

function isHeld() {
  const list = document.getElementById("list-scroll");
  if (!list) return false;
  const focused = document.activeElement?.closest("#conversation-rows") && document.hasFocus();
  return pointerInside || Boolean(focused) || Boolean(list.querySelector(".pick input:checked"));
}

/** A finger is no pointer that rests: it holds while it is down. */
function point(event) {
  if (event.type === "pointerleave") pointerInside = false;
  else if (event.pointerType === "mouse" || event.type === "pointerover") {
    const place = event.type === "pointerout" ? event.relatedTarget : event.target;
    pointerInside = Boolean(place?.closest?.("#conversation-rows"));
  }
  if (event.pointerType !== "mouse" && event.type === "pointerout") pointerInside = false;
  letGo();
}

function letGo() {
  if (isHeld()) return;
  if (stale) readAnew();
  else releaseRows();
}

function showHeld(count) {
  const pill = document.getElementById("list-held");
  if (!pill) return;
  pill.hidden = !count && !stale;
  pill.querySelector("span").textContent = stale ? text("list_changed") : counted("updates", count);
}

/** Another list came into the page, with the page or in place of the one before. */
function adopt() {
  const list = document.getElementById("list-pane");
  if (list && list !== known) {
    const first = known === null;
    known = list;
    stale = false;
    pointerInside = Boolean(document.querySelector("#conversation-rows:hover"));
    if (!first) arrived(list);
    markView();
  }
  markOpen();
}

/** In place of another list: asked what came since, focus where it was. */
function arrived(list) {
  rewind(parse(list.dataset.streams));
  fetchNews();
  const field = document.getElementById("list-search");
  const words = new URLSearchParams(list.dataset.list).get("q") ?? "";
  if (field !== document.activeElement) field.value = words;
  setTimeout(() => {
    if (document.activeElement === document.body) list.querySelector(".list-scroll").focus({ preventScroll: true });
  });
}

function drawn(detail) {
  for (const empty of document.querySelectorAll("[data-when-empty]")) {
    empty.hidden = Boolean(document.getElementById(empty.dataset.whenEmpty)?.children.length);
  }
  if ("staleList" in detail.root.dataset || isOtherwiseMute(detail.root)) {
    stale = true;
    if (isHeld()) showHeld(0);
    else readAnew();
  }
  markOpen();
}

/** A session was signed out or came back: who can be answered changed without a row's doing. */
function isOtherwiseMute(root) {
  const list = document.getElementById("list-pane");
  return (
    Boolean(list) &&
    root.dataset.mute !== undefined &&
    root.dataset.list === list.dataset.list &&
    root.dataset.mute !== list.dataset.mute
  );
}

/** More changed than an answer carries: the list from its start, once nobody holds it. */
function readAnew() {
  stale = false;
  const list = document.getElementById("list-pane");
  const address = `${list.querySelector(".list-search").action}?${shownList()}`;
  htmx.ajax("GET", address, { target: "#list-pane", swap: "outerHTML" });
}

function markOpen() {
  const open = document.getElementById("open-conversation")?.dataset.conversation;
  for (const link of document.querySelectorAll("#conversation-rows > li > a")) {
    const isOpen = link.parentElement.id === `conversation-${open}`;
    if (isOpen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** The rail is drawn with the list; a list that came by itself marks it too. */
function markView() {
  const view = new URLSearchParams(shownList()).get("view") ?? "all";
  for (const link of document.querySelectorAll("#rail-views [data-view]")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function clicked(event) {
  if (event.target.closest("[data-releases]")) {
    showHeld(0);
    if (stale) readAnew();
    else releaseRows();
    const list = document.getElementById("list-scroll");
    list.focus({ preventScroll: true });
    list.scrollTop = 0;
  }
}

/** A form that led to another list is done with. */
function closeDialog({ detail }) {
  const dialog = document.getElementById("dialog");
  if (detail.target?.id === "list-pane" && dialog?.open && !dialog.querySelector("[data-login-id]")) {
    dialog.close();
  }
}

function walk(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (!(event.key in steps) || !event.target.matches?.("#conversation-rows > li > a")) return;
  const links = [...document.querySelectorAll("#conversation-rows > li > a")];
  const at = links.indexOf(event.target);
  event.preventDefault();
  links[Math.max(0, Math.min(links.length - 1, at + steps[event.key]))].focus();
}
