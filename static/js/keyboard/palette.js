// The palette (Ctrl+K): what can be done on this page, where one can go, who can be opened by
// name. Keyboard only is enough: type, arrows, Enter. Names are asked for while one types.
import { fold } from "../page/fold.js";
import { text } from "../page/texts.js";

const ASK_AFTER_MS = 120;
const MOST_HERE = 12;

let dialog = null;
let asking = null;
let timer = 0;

export function startPalette() {
  dialog = document.getElementById("palette");
  if (!dialog) return;
  const field = input();
  field.addEventListener("input", typed);
  field.addEventListener("keydown", pressed);
  list().addEventListener("click", ({ target }) => choose(target.closest("[role=option]")));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => list().replaceChildren());
}

export function openPalette() {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  input().value = "";
  typed();
  input().focus();
}

function input() {
  return dialog.querySelector("input");
}

function list() {
  return dialog.querySelector("[role=listbox]");
}

function options() {
  return [...list().querySelectorAll("[role=option]")];
}

function typed() {
  const words = input().value.trim();
  const here = [...actions(), ...places()].filter((one) => fits(one.label, words)).slice(0, MOST_HERE);
  show(here, []);
  clearTimeout(timer);
  asking?.abort();
  if (words) timer = setTimeout(() => ask(words, here), ASK_AFTER_MS);
}

/** Every word of the query begins or stands within a word of the label. */
function fits(label, words) {
  const whole = fold(label);
  return fold(words)
    .split(" ")
    .every((word) => whole.includes(word));
}

/** The page's own controls with keys: those that are shown, and those whose key works unseen. */
function actions() {
  const seen = new Set();
  return [...document.querySelectorAll("button[data-key], a[data-key]")]
    .filter((one) => ("keyAnyway" in one.dataset || one.checkVisibility({ visibilityProperty: true })) && !one.disabled)
    .map((control) => ({
      label: nameOf(control),
      key: control.dataset.key,
      group: text("palette_here"),
      run: () => control.click(),
    }))
    .filter(({ label }) => label && !seen.has(label) && seen.add(label));
}

function places() {
  const seen = new Set();
  return [...document.querySelectorAll("[data-place]")]
    .map((place) => ({
      label: place.dataset.place || nameOf(place),
      key: place.dataset.go ? `g ${place.dataset.go}` : "",
      group: text("palette_go"),
      run: () => place.click(),
    }))
    .filter(({ label }) => label && !seen.has(label) && seen.add(label));
}

function nameOf(control) {
  return (
    control.getAttribute("aria-label") ??
    control.querySelector(".label, .cut, span")?.textContent ??
    control.textContent
  ).trim();
}

async function ask(words, here) {
  asking = new AbortController();
  const url = new URL(dialog.dataset.url, location.href);
  url.searchParams.set("q", words);
  try {
    const response = await fetch(url, { headers: { "HX-Request": "true" }, signal: asking.signal });
    if (!response.ok || response.redirected) return;
    const template = document.createElement("template");
    template.innerHTML = await response.text();
    show(here, [...template.content.querySelectorAll("[data-found]")].map(found));
  } catch {
    // a newer question, or the line is down: what is here stays
  }
}

function found(element) {
  const { found: url, group } = element.dataset;
  const row = element.dataset.row && document.querySelector(`#${element.dataset.row} a[href]`);
  return {
    label: element.dataset.label,
    detail: element.textContent.trim(),
    group,
    run: () => (row?.isConnected ? row.click() : location.assign(url)),
  };
}

function show(here, there) {
  const all = [...here, ...there];
  const kept = options().find((one) => one.getAttribute("aria-selected") === "true")?.dataset.name;
  list().replaceChildren();
  let group = null;
  for (const [number, one] of all.entries()) {
    if (one.group !== group?.dataset.name) group = groupOf(one.group);
    group.append(option(one, number));
  }
  dialog.querySelector("[data-nothing]").hidden = all.length > 0 || !input().value.trim();
  const again = options().find((one) => one.dataset.name === kept);
  select(again ?? options()[0]);
}

function groupOf(name) {
  const group = document.createElement("ul");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", name);
  group.dataset.name = name;
  const title = Object.assign(document.createElement("li"), { className: "palette-group", textContent: name });
  title.setAttribute("role", "presentation");
  group.append(title);
  list().append(group);
  return group;
}

function option(one, number) {
  const { run } = one;
  const line = Object.assign(document.createElement("li"), {
    id: `palette-${number}`,
    className: "palette-option",
    run,
  });
  line.setAttribute("role", "option");
  line.dataset.name = `${one.group}/${one.label}`;
  line.append(Object.assign(document.createElement("span"), { className: "cut", dir: "auto", textContent: one.label }));
  if (one.detail)
    line.append(
      Object.assign(document.createElement("span"), { className: "small muted cut", textContent: one.detail }),
    );
  if (one.key) line.append(Object.assign(document.createElement("kbd"), { textContent: one.key }));
  return line;
}

function select(chosen) {
  for (const one of options()) one.setAttribute("aria-selected", one === chosen);
  if (chosen) input().setAttribute("aria-activedescendant", chosen.id);
  else input().removeAttribute("aria-activedescendant");
  chosen?.scrollIntoView({ block: "nearest" });
}

function pressed(event) {
  if (event.isComposing || event.keyCode === 229) return;
  const all = options();
  const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const last = all.length - 1;
  const to = { ArrowDown: at === last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1 }[event.key];
  if (to !== undefined) select(all[to]);
  else if (event.key === "Enter") choose(all[at]);
  else return;
  event.preventDefault();
}

/** Closed first: the focus is back where it was, so that what opens next returns there too. */
function choose(chosen) {
  if (!chosen) return;
  const { run } = chosen;
  dialog.close();
  run();
}
