// “@” in a note: the team's people as a list, chosen by arrows and Enter, or by a click.
import { on } from "../events.js";
import { fold } from "../page/fold.js";
import { field, form, kindOf } from "./form.js";

const MOST = 8;
const TIMEOUT_MS = 10_000;

const known = new Map();
let chosen = 0;

export function startMentions() {
  document.addEventListener("input", (event) => event.target === field() && offer());
  document.addEventListener("keydown", steer, true);
  document.addEventListener("pointerdown", (event) => {
    const option = event.target.closest("#mention-list [role=option]");
    if (!option) return;
    event.preventDefault();
    take(option.dataset.username);
  });
  on("sent", hide);
  document.addEventListener("change", hide);
  offer();
}

function list() {
  return document.getElementById("mention-list");
}

/** The word being typed after an “@”, or null. */
function word() {
  const area = field();
  if (kindOf() !== "note" || !area) return null;
  const before = area.value.slice(0, area.selectionStart);
  return before.match(/(?:^|[^\w@])@([^\s@]{0,40})$/u)?.[1] ?? null;
}

async function offer() {
  const begun = word();
  if (begun === null) {
    hide();
    return;
  }
  const people = await peopleHere();
  if (word() === null) return;
  const wanted = fold(word());
  const fits = (one) => [one.username, one.name].some((name) => fold(name).includes(wanted));
  show(people.filter(fits).slice(0, MOST));
}

async function peopleHere() {
  const url = form().dataset.peopleUrl;
  if (!known.has(url)) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!response.ok) return [];
      known.set(url, (await response.json()).people);
    } catch {
      return [];
    }
  }
  return known.get(url);
}

function show(people) {
  const place = list();
  if (!place) return;
  chosen = 0;
  place.replaceChildren(...people.map(option));
  place.hidden = !people.length;
  const area = field();
  area.setAttribute("aria-controls", place.id);
  mark();
}

function option(one, index) {
  const item = document.createElement("li");
  item.id = `mention-${index}`;
  item.setAttribute("role", "option");
  item.dir = "auto";
  item.dataset.username = one.username;
  const second = one.name === one.username ? "" : ` @${one.username}`;
  item.textContent = `${one.name}${second}`;
  return item;
}

function mark() {
  const options = [...(list()?.children ?? [])];
  for (const [index, item] of options.entries()) item.setAttribute("aria-selected", String(index === chosen));
  if (options.length) field().setAttribute("aria-activedescendant", `mention-${chosen}`);
}

function steer(event) {
  const place = list();
  if (!place || place.hidden || event.target !== field() || event.isComposing) return;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps) {
    chosen = (chosen + steps[event.key] + place.children.length) % place.children.length;
    mark();
  } else if (event.key === "Enter" || event.key === "Tab") {
    take(place.children[chosen].dataset.username);
  } else if (event.key === "Escape") hide();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function take(username) {
  const area = field();
  const end = area.selectionStart;
  const begin = end - word().length;
  area.setRangeText(`${username} `, begin, end, "end");
  hide();
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

function hide() {
  const place = list();
  if (!place || place.hidden) return;
  place.hidden = true;
  place.replaceChildren();
  field()?.removeAttribute("aria-activedescendant");
}
