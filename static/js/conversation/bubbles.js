// One bubble at a time: its tools (copy, quote) under the pointer, with the focus, or after a tap;
// arrows from message to message; long texts that unfold without a jump.
import { on } from "../events.js";
import { copyWords } from "../page/copy.js";

const LONG_PRESS_MS = 450;
const QUOTED_LINES = 4;
const QUOTED_SIGNS = 200;

let active = null;
let press = 0;

export function startBubbles() {
  document.addEventListener("pointerover", pointed, { passive: true });
  document.addEventListener("pointerdown", pressed, { passive: true });
  for (const kind of ["pointerup", "pointercancel", "pointermove"]) {
    document.addEventListener(kind, () => clearTimeout(press), { passive: true });
  }
  document.addEventListener("focusin", ({ target }) => {
    reveal(target);
    follow();
  });
  document.addEventListener("focusout", () => setTimeout(follow));
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", walk);
  document.addEventListener("copy", copied);
  on("opened", () => {
    active = null;
  });
  on("drawing", (detail) => standAside(detail.root));
}

function tools() {
  return document.getElementById("bubble-tools");
}

function messageOf(element) {
  return element?.closest?.("[data-messages] > .message") ?? null;
}

/** As it was typed: WeChat's faces as their codes, and what nobody sees as what it is. */
function textOf(message) {
  const source = message?.querySelector("[data-text]");
  if (!source) return "";
  const copy = source.cloneNode(true);
  for (const face of copy.querySelectorAll(".emoji")) face.replaceWith(face.title);
  for (const sign of copy.querySelectorAll("[data-sign]"))
    sign.replaceWith(String.fromCodePoint(Number.parseInt(sign.dataset.sign, 16)));
  return copy.textContent;
}

function pointed(event) {
  if (event.pointerType !== "mouse") return;
  const message = messageOf(event.target);
  if (message) show(message);
  else follow();
}

/** Where no pointer is, the tools belong to the message with the focus. */
function follow() {
  const focused = messageOf(document.activeElement);
  const hovered = document.querySelector("[data-messages] > .message:hover");
  if (focused) show(focused);
  else if (!hovered && !active?.matches("[data-tapped]")) hide();
}

function show(message) {
  const bar = tools();
  if (!bar || message === active) return;
  if (!textOf(message)) {
    hide();
    return;
  }
  hide();
  active = message;
  message.querySelector(".bubble-line").append(bar);
  bar.hidden = false;
  const quote = bar.querySelector("[data-quotes]");
  if (quote) quote.hidden = message.classList.contains("note") || !field();
}

function hide() {
  const bar = tools();
  if (!bar) return;
  bar.hidden = true;
  if (active) delete active.dataset.tapped;
  active = null;
  if (messageOf(bar)) document.getElementById("open-conversation").append(bar);
}

/** Its message is about to be drawn anew: the tools come back after that, with the focus. */
function standAside(root) {
  const message = active;
  if (!message || !root.querySelector(`#${message.id}`)) return;
  const focused = tools().contains(document.activeElement) ? document.activeElement : null;
  const isTapped = "tapped" in message.dataset;
  hide();
  on(
    "drawn",
    () => {
      const again = document.getElementById(message.id);
      if (!again) return;
      show(again);
      if (isTapped) again.dataset.tapped = "";
      focused?.focus({ preventScroll: true });
    },
    { once: true },
  );
}

/** A finger that rests on a bubble, or taps it. */
function pressed(event) {
  clearTimeout(press);
  const message = event.pointerType === "mouse" ? null : messageOf(event.target);
  if (message) press = setTimeout(tap, LONG_PRESS_MS, message);
}

function tap(message) {
  show(message);
  if (active === message) message.dataset.tapped = "";
}

function clicked(event) {
  const { target } = event;
  const summary = target.closest("[data-fold] > summary");
  if (summary) {
    event.preventDefault();
    fold(summary);
  } else if (target.closest("[data-copies-bubble]")) {
    copyWords(textOf(active), target.closest("[data-copies-bubble]"));
  } else if (target.closest("[data-quotes]")) {
    quote(textOf(active));
  } else if (event.pointerType === "touch" || event.pointerType === "pen") {
    const bubble = target.closest(".bubble") && !target.closest("a, button, input, video, audio");
    if (bubble) tap(messageOf(target));
    else if (!target.closest("#bubble-tools")) hide();
  }
}

/** The line that was pressed stays where it is when the text above it goes. */
function fold(summary) {
  const pane = document.getElementById("conversation-scroll");
  const details = summary.parentElement;
  const before = summary.getBoundingClientRect().top;
  const at = pane.scrollTop;
  details.open = !details.open;
  if (details.open) pane.scrollTop = at;
  else pane.scrollTop += summary.getBoundingClientRect().top - before;
  pane.dispatchEvent(new Event("scroll"));
}

/** A link behind the fold that gets the focus is seen. */
function reveal(target) {
  const closed = target.closest?.(".is-long")?.parentElement.querySelector(".fold:not([open]) > summary");
  if (closed) fold(closed);
}

function field() {
  return document.querySelector("[data-composer] textarea");
}

/** Put in where the person writes; nothing of theirs is replaced. */
function quote(words) {
  const area = field();
  if (!area || !words) return;
  const at = area.selectionEnd;
  const isOwnLine = at === 0 || area.value[at - 1] === "\n";
  area.setRangeText(`${isOwnLine ? "" : "\n"}${quoted(words)}\n`, at, at, "end");
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  area.focus({ preventScroll: true });
  area.scrollTop = area.scrollHeight;
}

function quoted(words) {
  const lines = words.trim().split("\n");
  const signs = [...lines.slice(0, QUOTED_LINES).join("\n")];
  const isCut = lines.length > QUOTED_LINES || signs.length > QUOTED_SIGNS;
  const kept = signs.slice(0, QUOTED_SIGNS).join("").trimEnd();
  return `${kept}${isCut ? " …" : ""}`
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n");
}

/** Up and down from message to message, right into the tools, Escape out of them. */
function walk(event) {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
  const message = messageOf(target);
  const inTools = target.closest?.("#bubble-tools");
  let next = null;
  if (target.id === "conversation-scroll") next = key === "ArrowUp" ? lastSeen() : null;
  else if (message && (target === message || inTools))
    next = (inTools && stepIn(target, key)) || step(message, target, key);
  if (!next) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function messages() {
  return [...document.querySelectorAll("[data-messages] > .message:not(.event)")];
}

function lastSeen() {
  const edge = document.getElementById("conversation-scroll").getBoundingClientRect().bottom;
  return messages().findLast((one) => one.getBoundingClientRect().top < edge - 8) ?? null;
}

function stepIn(button, key) {
  const steps = { ArrowRight: 1, ArrowLeft: -1 };
  if (!(key in steps)) return null;
  const all = [...tools().querySelectorAll("button:not([hidden])")];
  return all[all.indexOf(button) + steps[key]] ?? messageOf(button);
}

function step(message, target, key) {
  const all = messages();
  const at = all.indexOf(message);
  if (key === "ArrowUp") return all[Math.max(0, at - 1)];
  if (key === "ArrowDown") return all[Math.min(all.length - 1, at + 1)];
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  if (key === "Escape") return target === message ? document.getElementById("conversation-scroll") : message;
  if (key === "ArrowRight" && active === message) return tools().querySelector("button");
  return null;
}

/** Copying with nothing selected takes the message that has the focus. */
function copied(event) {
  const message = messageOf(document.activeElement);
  if (!message || document.activeElement !== message || String(getSelection())) return;
  event.clipboardData.setData("text/plain", textOf(message));
  event.preventDefault();
}
