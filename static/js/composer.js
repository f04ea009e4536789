// The composer: bytes, Enter, one message per draft. No event of the server ever writes into it;
// a draft stays with its conversation, with the key that makes its message one.
import { hasFiles } from "./attachments.js";

const encoder = new TextEncoder();

export function startComposer() {
  document.addEventListener("console:opened", adopt);
  document.addEventListener("input", (event) => event.target.closest("[data-composer]") && typed());
  document.addEventListener("keydown", pressed);
  document.addEventListener("htmx:beforeRequest", begin);
  document.addEventListener("htmx:afterRequest", end);
  document.addEventListener("console:answered", sent);
  document.addEventListener("console:failed", failed);
  document.addEventListener("htmx:afterSwap", takeKey);
  adopt();
}

function form() {
  return document.querySelector("[data-composer]");
}

function adopt() {
  const mine = form();
  if (!mine || mine.dataset.adopted) return;
  mine.dataset.adopted = "yes";
  const kept = readDraft(mine.dataset.composer);
  if (kept?.text && !field(mine).value) {
    field(mine).value = kept.text;
    mine.elements.draft_key.value = kept.key;
  }
  typed();
  if (matchMedia("(pointer: fine)").matches && !document.querySelector("dialog[open]")) {
    field(mine).focus({ preventScroll: true });
  }
}

function field(mine) {
  return mine.elements.text;
}

function typed() {
  const mine = form();
  const bytes = encoder.encode(field(mine).value).length;
  const limit = Number(mine.dataset.limit);
  const output = mine.querySelector("[data-bytes]");
  output.textContent = `${bytes.toLocaleString("en")} / ${limit.toLocaleString("en")} B`;
  output.classList.toggle("is-over", bytes > limit);
  grow(field(mine));
  keepDraft(mine);
}

function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, innerHeight * 0.4)}px`;
}

/** Enter sends; never while an input method composes (Safari says so by keyCode 229 alone). */
function pressed(event) {
  const area = event.target;
  if (event.key === "Escape" && area.closest?.(".name-form")) {
    area.closest(".name-form").querySelector("[data-cancels]").click();
    return;
  }
  if (event.key !== "Enter" || event.shiftKey || !area.matches?.("[data-composer] textarea")) return;
  if (event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  const mine = form();
  if (!mine.dataset.busy && (area.value.trim() || hasFiles())) mine.requestSubmit(mine.querySelector("[data-send]"));
}

function begin(event) {
  const mine = event.detail.elt;
  if (!mine.matches?.("[data-composer]")) return;
  if (mine.dataset.busy) {
    event.preventDefault();
    return;
  }
  mine.dataset.busy = "yes";
  field(mine).readOnly = true;
}

function end(event) {
  const mine = event.detail.elt;
  if (!mine.matches?.("[data-composer]")) return;
  delete mine.dataset.busy;
  field(mine).readOnly = false;
}

function sent({ detail }) {
  const mine = form();
  if (!mine || detail.elt !== mine) return;
  mine.elements.draft_key.value = detail.root.dataset.draftKey;
  field(mine).value = "";
  problem("");
  typed();
  field(mine).focus({ preventScroll: true });
}

function failed({ detail }) {
  if (detail.elt.matches?.("[data-composer]")) problem(detail.words);
}

function problem(words) {
  const place = document.getElementById("composer-problem");
  place.replaceChildren();
  if (!words) return;
  const box = document.createElement("div");
  box.className = "refusal";
  box.append(Object.assign(document.createElement("p"), { textContent: words }));
  place.append(box);
}

/** A draft whose key was used up gets a new one with the refusal. */
function takeKey(event) {
  const key = event.detail.target.id === "composer-problem"
    && event.detail.target.querySelector("[data-draft-key]")?.dataset.draftKey;
  if (key) form().elements.draft_key.value = key;
}

function keepDraft(mine) {
  const name = `weilink-draft-${mine.dataset.composer}`;
  try {
    if (!field(mine).value) sessionStorage.removeItem(name);
    else {
      const draft = { text: field(mine).value, key: mine.elements.draft_key.value };
      sessionStorage.setItem(name, JSON.stringify(draft));
    }
  } catch { /* storage is full or blocked: the draft lives in the page alone */ }
}

function readDraft(id) {
  try {
    return JSON.parse(sessionStorage.getItem(`weilink-draft-${id}`));
  } catch {
    return null;
  }
}
