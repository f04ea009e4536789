// The composer: reply or note, bytes and cost, Enter, one message per draft. No event of the server
// ever writes into it; what the person asked back (undo, edit) and their own drafts alone do.
import { hasFiles } from "./attachments.js";
import { current, discardTyped, forget, load, pause, remember, startDrafts, switchTo } from "./drafts.js";
import { text } from "./texts.js";
import { emit } from "./upsert.js";

const encoder = new TextEncoder();

let parts = 1;
let partsOf = "";

export function startComposer() {
  document.addEventListener("console:opened", adopt);
  document.addEventListener("input", (event) => event.target.closest("[data-composer]") && typed(event));
  document.addEventListener("change", changedKind);
  document.addEventListener("keydown", pressed);
  document.addEventListener("htmx:beforeRequest", begin);
  document.addEventListener("htmx:afterRequest", end);
  document.addEventListener("console:answered", answered);
  document.addEventListener("console:failed", failed);
  document.addEventListener("console:drawn", cost);
  document.addEventListener("console:cost", filesChanged);
  document.addEventListener("console:parts", ({ detail }) => countParts(detail));
  document.addEventListener("console:draft", ({ detail }) => fill(detail.text));
  document.addEventListener("htmx:afterSwap", refused);
  startDrafts();
  adopt();
}

export function form() {
  return document.querySelector("[data-composer]");
}

export function field(mine = form()) {
  return mine?.elements.text;
}

export function kindOf(mine = form()) {
  return mine?.elements.kind?.value || "reply";
}

/** A conversation came into the page: its own drafts, never another person's text. */
function adopt() {
  const mine = form();
  if (!mine || mine.dataset.adopted) return;
  mine.dataset.adopted = "yes";
  load(mine);
  const kept = current();
  if (kept.text !== field(mine).value) field(mine).value = kept.text;
  mine.elements.draft_key.value = kept.key;
  look();
  if (matchMedia("(pointer: fine)").matches && !document.querySelector("dialog[open]")) {
    field(mine).focus({ preventScroll: true });
  }
  field(mine).setSelectionRange(field(mine).value.length, field(mine).value.length);
}

function typed(event) {
  if (event.target !== field()) return;
  begun();
  look();
  remember(field().value);
}

function filesChanged() {
  begun();
  cost();
}

/** The first key or file of a draft: what others answer from here on, the person may not have seen. */
function begun() {
  const mine = form();
  if (!field(mine).value && !hasFiles()) {
    delete mine.dataset.begun;
    return;
  }
  if (mine.dataset.begun) return;
  mine.dataset.begun = "yes";
  mine.elements.seen_up_to.value = newestShown() || mine.elements.seen_up_to.value;
}

function newestShown() {
  const rows = document.querySelectorAll("[data-messages] > .message");
  return rows.length ? rows[rows.length - 1].id.replace("message-", "") : "";
}

/** Everything that depends on what stands in the field. */
function look() {
  const mine = form();
  const area = field(mine);
  const bytes = encoder.encode(area.value).length;
  const limit = Number(mine.dataset.limit);
  const output = mine.querySelector("[data-bytes]");
  output.textContent = `${bytes.toLocaleString("en")} / ${limit.toLocaleString("en")} B`;
  output.classList.toggle("is-over", bytes > limit);
  grow(area);
  const long = document.getElementById("composer-long");
  long.hidden = kindOf(mine) === "note" || [...area.value].length <= Number(mine.dataset.warn);
  if (!long.hidden) showParts();
  cost();
}

function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, innerHeight * 0.4)}px`;
}

/** The server cuts, so it counts: its number comes with the saved draft. */
function countParts(saved) {
  parts = saved.parts;
  partsOf = saved.text;
  if (form() && !document.getElementById("composer-long").hidden) showParts();
}

function showParts() {
  const mine = form();
  const button = mine.querySelector("[data-split]");
  const known = partsOf === field(mine).value && parts > 1;
  button.hidden = !known;
  if (known) button.textContent = text("send_parts", { count: parts });
}

/** One item is one message: a text and each file cost a reply each. */
function cost() {
  const mine = form();
  const chip = mine?.querySelector("[data-cost]");
  if (!chip) return;
  const uses = (field(mine).value.trim() ? 1 : 0) + mine.querySelectorAll("[data-costs]").length;
  const left = Number(document.getElementById("budget")?.dataset.repliesLeft ?? uses);
  chip.hidden = uses < 2 && uses <= left;
  chip.classList.toggle("warn", uses > left);
  const words = text(uses > left ? "draft_uses_too_many" : "draft_uses", { count: uses, left });
  if (chip.textContent !== words) chip.textContent = words;
}

function changedKind(event) {
  if (!event.target.matches?.("[data-composer] [name=kind]")) return;
  showKind(event.target.value);
}

export function showKind(kind) {
  const mine = form();
  const area = field(mine);
  const radio = mine.querySelector(`[name=kind][value=${kind}]`);
  radio.checked = true;
  area.dataset.replyLabel ??= area.getAttribute("aria-label");
  area.dataset.replyPlaceholder ??= area.placeholder;
  const note = kind === "note";
  area.setAttribute("aria-label", note ? area.dataset.noteLabel : area.dataset.replyLabel);
  area.placeholder = note ? area.dataset.notePlaceholder : area.dataset.replyPlaceholder;
  const draft = switchTo(kind);
  area.value = draft.text;
  mine.elements.draft_key.value = draft.key;
  delete mine.dataset.begun;
  begun();
  problem("");
  look();
  area.focus({ preventScroll: true });
}

/** Enter sends, or Ctrl and Enter; never while an input method composes (Safari: keyCode 229). */
function pressed(event) {
  const area = event.target;
  if (event.key === "Escape" && area.closest?.(".name-form")) {
    area.closest(".name-form").querySelector("[data-cancels]").click();
    return;
  }
  if (event.key !== "Enter" || !area.matches?.("[data-composer] textarea")) return;
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
  const mine = form();
  const modified = event.ctrlKey || event.metaKey;
  if (event.shiftKey || (mine.dataset.sendKey === "ctrl_enter" && !modified)) return;
  event.preventDefault();
  const something = area.value.trim() || (kindOf(mine) === "reply" && hasFiles());
  if (!mine.dataset.busy && something) mine.requestSubmit(mine.querySelector("[data-send]"));
}

function begin(event) {
  const mine = event.detail.elt;
  if (!mine.matches?.("[data-composer]")) return;
  if (mine.dataset.busy || mine.dataset.asking) {
    event.preventDefault();
    return;
  }
  mine.dataset.busy = "yes";
  field(mine).readOnly = true;
  pause();
}

function end(event) {
  const mine = event.detail.elt;
  if (!mine.matches?.("[data-composer]")) return;
  delete mine.dataset.busy;
  field(mine).readOnly = false;
  if (field(mine).value) remember(field(mine).value); // refused: it stays a draft
}

/** What the person asked for was done: sent, noted, parked, or a text is theirs again. */
function answered({ detail }) {
  const mine = form();
  const { draftKey, draftNumber } = detail.root.dataset;
  if (!mine || draftKey === undefined) return;
  const draft = {
    key: draftKey,
    number: Number(draftNumber),
    text: detail.root.querySelector("[data-draft-text]")?.value ?? "",
  };
  if (detail.elt !== mine) takeBack(draft);
  else {
    forget(draft);
    mine.elements.draft_key.value = draft.key;
    fill(draft.text);
    emit("sent", { kind: kindOf(mine) });
  }
  problem("");
  field().focus({ preventScroll: true });
}

/** Undone or to be edited: it is a reply, and what was typed meanwhile stands after it. */
function takeBack(draft) {
  if (kindOf() !== "reply") showKind("reply");
  const typedSince = discardTyped();
  forget(draft);
  form().elements.draft_key.value = draft.key;
  const missing = typedSince && !draft.text.includes(typedSince.trim());
  fill(missing ? `${draft.text}\n${typedSince}` : draft.text);
  if (missing) remember(field().value);
}

function fill(words) {
  const mine = form();
  field(mine).value = words;
  mine.elements.draft_key.value = current().key;
  delete mine.dataset.begun;
  begun();
  look();
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

/** A draft whose key was used up gets a new one; a colleague's answer counts as seen by now. */
function refused(event) {
  if (event.detail.target.id !== "composer-problem") return;
  const box = event.detail.target.querySelector(".refusal");
  if (box?.dataset.draftKey) {
    form().elements.draft_key.value = box.dataset.draftKey;
    current().key = box.dataset.draftKey;
  }
  if (box?.dataset.seenUpTo) form().elements.seen_up_to.value = box.dataset.seenUpTo;
}
