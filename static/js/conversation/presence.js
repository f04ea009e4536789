// Who looks at a conversation and who types: said by pages, shown on head and rows, never numbered.

import { startAsking } from "../composer/asking.js";
import { field, form, kindOf } from "../composer/form.js";
import { on } from "../events.js";
import { isFinal, send } from "../live/requests.js";
import { now } from "../live/server_clock.js";
import { text } from "../page/texts.js";

const HERE_EVERY_MS = 10_000;
const TYPES_EVERY_MS = 3_000;
const STOPS_AFTER_MS = 4_000;
const TIMEOUT_MS = 10_000;
const ASK_EVERY_MS = 15_000;
const LONGEST_REST_MS = 60_000;

const there = new Map();
let open = null;
let lastTyped = 0;
let lastSaid = 0;
let types = "";
let stopTimer = 0;

export function startPresence() {
  if (!document.querySelector("main.inbox")) return;
  startAsking({ writerIn: writer });
  on("opened", adopt);
  on("settled", left);
  on("notice", (detail) => hear(detail));
  on("welcome", () => {
    if (open) open.rests = 0;
    ask(rowsShown());
  });
  on("renewed", () => {
    if (open) open.isOver = false;
  });
  setInterval(() => document.hidden || ask([...there.keys()].filter((id) => others(id).length)), ASK_EVERY_MS);
  on("drawn", () => drawAll());
  on("sent", () => stopTyping({ said: true }));
  document.addEventListener("input", typed);
  document.addEventListener("compositionend", typed);
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : say()));
  window.addEventListener("pagehide", leave);
  setInterval(() => document.hidden || say(), HERE_EVERY_MS);
  setInterval(lapse, 1_000);
  adopt();
}

function conversation() {
  return document.getElementById("open-conversation");
}

function adopt() {
  const now = conversation();
  if (!now || open?.element === now) return;
  leave();
  open = { element: now, id: now.dataset.conversation, url: now.dataset.hereUrl };
  there.set(open.id, JSON.parse(now.dataset.people || "[]"));
  types = "";
  draw(open.id);
  say();
}

function left() {
  if (open && !open.element.isConnected && !conversation()) leave();
}

function leave() {
  if (!open) return;
  clearTimeout(stopTimer);
  types = "";
  post(open, { left: "1" }, true);
  if (!open.element.isConnected) open = null;
}

function say() {
  if (open?.element.isConnected) post(open, { types });
}

async function post(place, values, leaving = false) {
  if (place.isOver || (!leaving && place.rests > Date.now())) return;
  let response = null;
  try {
    response = await send(place.url, {
      body: new URLSearchParams(values),
      keepalive: leaving,
      signal: leaving ? undefined : AbortSignal.timeout(TIMEOUT_MS),
    });
    place.isOver = isFinal(response);
    if (response.ok && !leaving && !place.isOver) take(place.id, (await response.json()).people);
  } catch {
    // the line is down: what is not renewed lapses by itself
  }
  place.failures = response?.ok ? 0 : (place.failures ?? 0) + 1;
  place.rests = place.failures && Date.now() + Math.min(LONGEST_REST_MS, TYPES_EVERY_MS * 2 ** place.failures);
}

function typed(event) {
  const mine = form();
  if (!open || !mine || event.target !== field(mine)) return;
  if (!field(mine).value) {
    stopTyping();
    return;
  }
  lastTyped = Date.now();
  clearTimeout(stopTimer);
  stopTimer = setTimeout(stopTyping, STOPS_AFTER_MS);
  const kind = kindOf(mine);
  if (types === kind && lastTyped - lastSaid < TYPES_EVERY_MS) return;
  types = kind;
  lastSaid = lastTyped;
  say();
}

function stopTyping({ said = false } = {}) {
  clearTimeout(stopTimer);
  const was = types;
  types = "";
  lastSaid = 0;
  if (was || said) say();
}

/** A colleague who types in the open conversation at this moment. */
function writer() {
  return open && others(open.id).find((one) => one.types_until > now() / 1000);
}

function hear(frame) {
  if (!frame.about?.startsWith("presence:")) return;
  take(frame.about.slice("presence:".length), frame.people);
}

function take(id, people) {
  there.set(String(id), people);
  draw(String(id));
}

function rowsShown() {
  const rows = [...document.querySelectorAll("li.conversation")].slice(0, 200);
  return rows.map((row) => row.id.replace("conversation-", ""));
}

/** Only changes are told: whether somebody is still there is asked, for the rows that say so. */
async function ask(ids) {
  if (!ids.length) return;
  try {
    const url = `${document.body.dataset.presenceUrl}?ids=${ids.join(",")}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok || response.redirected) return;
    const found = await response.json();
    for (const id of ids) take(id, found[id] ?? []);
  } catch {
    // the next welcome asks again
  }
}

function others(id) {
  const moment = now() / 1000;
  const me = Number(document.body.dataset.user);
  return (there.get(id) ?? []).filter((one) => one.user_id !== me && one.until > moment);
}

function lapse() {
  for (const id of there.keys()) {
    draw(id);
    if (!others(id).length && id !== open?.id) there.delete(id);
  }
}

function drawAll() {
  for (const id of there.keys()) draw(id);
}

function draw(id) {
  const people = others(id);
  if (id === open?.id) drawOn(document.getElementById("presence"), people);
  const chips = document.querySelector(`#conversation-${id} .chips`);
  if (chips) drawChips(chips, people);
}

/** In the place of those that the server drew: one per person, as it draws them. */
function drawChips(chips, people) {
  const moment = now() / 1000;
  const wanted = people.map((one) => ({ name: one.name, types: one.types_until > moment }));
  const key = wanted.map((one) => `${one.name}/${one.types}`).join("|");
  const drawn = chips.querySelectorAll("[data-presence]");
  if (chips.dataset.present === key && drawn.length === wanted.length) return;
  chips.dataset.present = key;
  for (const chip of drawn) chip.remove();
  chips.append(...wanted.map(chipOf));
}

function chipOf({ name, types }) {
  const chip = document.createElement("span");
  chip.className = types ? "chip ok" : "chip";
  chip.dataset.presence = "";
  chip.title = text(types ? "types" : "looks", { names: name });
  const words = Object.assign(document.createElement("span"), { className: "cut", dir: "auto", textContent: name });
  chip.append(icon(types ? "pencil-line" : "eye"), words);
  return chip;
}

function icon(name) {
  const sprite = document.querySelector("svg.icon use").getAttribute("href").split("#")[0];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

function drawOn(place, people) {
  if (!place) return;
  const moment = now() / 1000;
  const writers = people.filter((one) => one.types_until > moment);
  const shown = writers.length ? writers : people;
  const names = shown.map((one) => one.name).reduce(joined, "");
  const words = names && text(writers.length ? "types" : "looks", { names });
  place.hidden = !words;
  place.classList.toggle("is-typing", writers.length > 0);
  if (place.textContent !== words) place.textContent = words;
}

function joined(before, name) {
  return before ? text("name_list", { first: before, second: name }) : name;
}
