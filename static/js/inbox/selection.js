// Several conversations at once: boxes on the rows, what is chosen, and all that match.
import { emit, on } from "../events.js";
import { fold } from "../page/fold.js";
import { counted, text } from "../page/texts.js";

let lastBox = null;

export function startSelection() {
  document.addEventListener("change", changed);
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", leave);
  on("drawn", show);
  on("settled", show);
  document.addEventListener("input", narrow);
}

function boxes() {
  return [...document.querySelectorAll("#conversation-rows .pick input")];
}

function scope() {
  return document.querySelector("[data-scope]");
}

function changed(event) {
  if (!event.target.matches(".pick input")) return;
  scope().value = "";
  lastBox = event.target;
  show();
}

function clicked(event) {
  const { target } = event;
  if (target.closest("[data-selects]")) toggle();
  else if (target.closest("[data-selects-loaded]")) choose(true);
  else if (target.closest("[data-selects-none]")) choose(false);
  else if (target.closest("[data-selects-matching]")) {
    choose(true);
    scope().value = "all";
    show();
  } else if (event.shiftKey && target.matches(".pick input") && lastBox?.isConnected) stretch(target);
}

/** With Shift: all from the last one to this. */
function stretch(box) {
  const all = boxes();
  const [from, to] = [all.indexOf(lastBox), all.indexOf(box)].sort((one, other) => one - other);
  for (const one of all.slice(from, to + 1)) one.checked = box.checked;
}

function toggle() {
  const pane = document.getElementById("list-pane");
  const on = !pane.classList.contains("is-selecting");
  pane.classList.toggle("is-selecting", on);
  pane.querySelector("[data-selects]").setAttribute("aria-pressed", on);
  if (!on) choose(false);
}

function choose(checked) {
  for (const box of boxes()) box.checked = checked;
  scope().value = "";
  if (!checked) document.querySelector("#conversation-rows a")?.focus({ preventScroll: true });
  show();
}

function leave(event) {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (document.activeElement?.closest("#list-pane") && boxes().some((box) => box.checked)) choose(false);
}

function show() {
  for (const box of document.querySelectorAll("[data-some]")) box.indeterminate = true;
  const words = document.querySelector("[data-selected]");
  if (!words) return;
  const count = boxes().filter((box) => box.checked).length;
  const all = document.getElementById("list-count")?.firstChild.textContent ?? "";
  words.textContent = scope().value ? text("selected_matching", { count: all }) : counted("selected", count);
  emit("selected", { count });
}

/** A long list of people in a dialog, narrowed by what is typed over it. */
function narrow(event) {
  const { narrows } = event.target.dataset ?? {};
  if (!narrows) return;
  const wanted = fold(event.target.value);
  for (const entry of document.getElementById(narrows).children) {
    entry.hidden = !fold(entry.textContent).includes(wanted);
  }
}
