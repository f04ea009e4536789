// The composer: reply or note, bytes and cost, what is sent from it. It takes every letter at any
// time: what is sent leaves it at once and stands in the conversation. No event of the server ever writes
// into it, but for a text that was refused: that comes back before what was typed since.
import { emit, on } from "../events.js";
import { following, openFirst, openRowLink } from "../inbox/walking.js";
import { arrival, lastWasKey } from "../keyboard/focus.js";
import { awaited, failed, waitFor } from "../keyboard/typeahead.js";
import { openConversation } from "../live/shown.js";
import { announce, text } from "../page/texts.js";
import { asksFirst } from "./asking.js";
import { giveFilesBack, handFilesOver, refusesFiles } from "./attachments.js";
import {
  cameBack,
  current,
  discardTyped,
  forget,
  handOver,
  load,
  remember,
  startDrafts,
  switchTo,
  wasSent,
  wentOut,
} from "./drafts.js";
import { field, form, kindOf } from "./form.js";
import { post, postsOf, startPosts } from "./posts.js";
import { hasFiles } from "./tray_files.js";

const encoder = new TextEncoder();

let parts = 1;
let partsOf = "";

export function startComposer() {
  on("opened", () => adopt(awaited() ?? { still: () => false }));
  document.addEventListener("input", (event) => event.target.closest("[data-composer]") && typed(event));
  document.addEventListener("change", changedKind);
  document.addEventListener("keydown", pressed);
  document.addEventListener("submit", submitted);
  document.addEventListener("click", wantsBack);
  on("send-anyway", (detail) => send(detail.values));
  on("answered", answered);
  on("taken", (detail) => wentOut(detail.one, detail.draft));
  on("refused", (detail) => refused(detail));
  on("failed", failedHere);
  on("unsaved", (detail) => unsaved(detail.words));
  on("drawn", drawn);
  on("cost", filesChanged);
  on("parts", (detail) => countParts(detail));
  on("draft", (detail) => fill(detail.text));
  startDrafts();
  startPosts();
  adopt(arrival());
}

/** A conversation came into the page: its own drafts, never another person's text. */
function adopt(how) {
  const mine = form();
  if (!mine || mine.dataset.adopted) return;
  mine.dataset.adopted = "yes";
  load(mine);
  fill(current().text);
  emit("posts", { conversation: mine.dataset.composer });
  const area = field(mine);
  area.setSelectionRange(area.value.length, area.value.length);
  takeFocus(area, how);
}

/** Opened by the pointer, one goes on to write; by a key, the focus stays where keys are keys. */
function takeFocus(area, { byKey = false, still = () => true, isBack = false, wasInReply, caret }) {
  if (document.querySelector("dialog[open]") || !still()) return;
  if (byKey) {
    if (document.activeElement === document.body) leave();
    return;
  }
  const isWanted = wasInReply ?? (!isBack && !document.querySelector("[data-around]"));
  if (!isWanted || !matchMedia("(pointer: fine)").matches) return;
  area.focus({ preventScroll: true });
  if (caret !== undefined) area.setSelectionRange(caret, caret);
}

function typed(event) {
  if (event.target !== field()) return;
  begun();
  look();
  remember(field().value);
  emit("wrote");
}

function filesChanged() {
  if (!form()) return;
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
  const left = Number(document.getElementById("quota")?.dataset.repliesLeft ?? uses);
  chip.hidden = uses < 2 && uses <= left;
  chip.classList.toggle("warn", uses > left);
  const words = text(uses > left ? "draft_uses_too_many" : "draft_uses", { count: uses, left });
  if (chip.textContent !== words) chip.textContent = words;
}

function changedKind(event) {
  if (!event.target.matches?.("[data-composer] [name=kind]")) return;
  showKind(event.target.value);
  field().focus({ preventScroll: true });
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
  switchTo(kind);
  problem("");
  fill(current().text);
}

/** Enter sends, or Ctrl and Enter; never while an input method composes (Safari: keyCode 229). */
function pressed(event) {
  const area = event.target;
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
  if (event.key === "Escape" && area.closest?.(".name-form")) {
    area.closest(".name-form").querySelector("[data-cancels]").click();
    return;
  }
  if (!area.matches?.("[data-composer] textarea")) return;
  if (event.key === "Escape") leave();
  else if (event.key === "Enter") pressedEnter(event);
}

function pressedEnter(event) {
  const mine = form();
  const modified = event.ctrlKey || event.metaKey;
  const resolves = modified && event.shiftKey;
  if (!resolves && (event.shiftKey || (mine.dataset.sendKey === "ctrl_enter" && !modified))) return;
  event.preventDefault();
  if (event.repeat || (!field(mine).value.trim() && !(kindOf(mine) === "reply" && hasFiles()))) return;
  const button = mine.querySelector(resolves ? "[data-send-and-resolve]" : "[data-send]");
  if (button && (!resolves || kindOf(mine) === "reply")) mine.requestSubmit(button);
}

/** Out of the field, so that letters are keys again: to the row, or to the messages. */
function leave() {
  const link = openRowLink();
  if (link?.checkVisibility()) link.focus({ preventScroll: true });
  else document.getElementById("conversation-scroll")?.focus({ preventScroll: true });
}

function submitted(event) {
  const mine = form();
  if (event.target !== mine || event.defaultPrevented) return;
  event.preventDefault();
  const { submitter } = event;
  const isEmpty = !field(mine).value.trim() && !(kindOf(mine) === "reply" && hasFiles());
  const isParked = submitter?.name === "park";
  if (isEmpty) field(mine).focus({ preventScroll: true });
  else if (refusesFiles(isParked) || (!isParked && asksFirst(submitter))) return;
  else send(submitter?.name ? [[submitter.name, submitter.value]] : []);
}

/** It leaves the field now; its answer may come whenever it likes. */
function send(values) {
  const mine = form();
  const kind = kindOf(mine);
  const shown = shownValues(mine);
  const draft = handOver();
  const resolves = values.some(([name, value]) => name === "also" && value === "resolve");
  const one = {
    ...draft,
    conversation: mine.dataset.composer,
    who: document.getElementById("open-conversation").dataset.title,
    url: mine.action,
    at: Date.now(),
    seen: mine.elements.seen_up_to.value,
    files: kind === "reply" ? handFilesOver() : [],
    isParked: values.some(([name]) => name === "park"),
    values: [...shown, ["text", draft.text], ["draft_key", draft.key], ["next_key", draft.nextKey], ...values],
  };
  fill("");
  problem("");
  emit("sent", { kind });
  post(one);
  emit("posts", { conversation: one.conversation, isNew: true });
  if (resolves) goOnAfter(one);
}

/** What else the form says as it stands; files have an order and a way of their own. */
function shownValues(mine) {
  const own = ["text", "draft_key", "next_key", "upload", "files", "csrfmiddlewaretoken"];
  return [...new FormData(mine)].filter(([name]) => !own.includes(name));
}

/** Resolved on the server together with the reply; the next one is opened when that is so. */
async function goOnAfter(one) {
  const ids = following();
  if (lastWasKey()) leave();
  const wait = waitFor();
  if (await one.done) openFirst(ids, wait);
  else failed(wait, text("not_resolved"));
}

/** What the person asked back: the focus goes where it will stand, now, while they have asked. */
function wantsBack({ target }) {
  if (target.closest?.("form[action$='/edit/'] button")) field()?.focus({ preventScroll: true });
}

function answered(detail) {
  const { draftKey, draftNumber } = detail.root.dataset;
  if (draftKey === undefined) return;
  // Its conversation is not the open one any more: there it stands as the draft.
  if (!form() || detail.root.dataset.open !== openConversation()) return;
  const words = detail.root.querySelector("[data-draft-text]")?.value ?? "";
  takeBack({ key: draftKey, number: Number(draftNumber), text: words });
  problem("");
}

/** Undone or to be edited: it is a reply, and what was typed meanwhile stands after it. */
function takeBack(draft) {
  if (kindOf() !== "reply") showKind("reply");
  const typedSince = discardTyped();
  forget(draft);
  const missing = typedSince && !draft.text.includes(typedSince.trim());
  fill(missing ? `${draft.text}\n${typedSince}` : draft.text);
  if (missing) remember(field().value);
}

/** What stands in the field from now on; the caret keeps its distance to the end. */
function fill(words) {
  const mine = form();
  const area = field(mine);
  if (area.value !== words) {
    const behind = area.value.length - area.selectionEnd;
    area.value = words;
    const caret = Math.max(0, words.length - behind);
    area.setSelectionRange(caret, caret);
  }
  mine.elements.draft_key.value = current().key;
  delete mine.dataset.begun;
  begun();
  look();
  emit("wrote");
}

/** Into the open composer, or into the draft of the conversation that it was sent in. */
function refused({ posts, answer }) {
  const [first] = posts;
  giveFilesBack(
    first.conversation,
    posts.flatMap((one) => one.files),
  );
  if (!cameBack(posts, answer) || form()?.dataset.composer !== first.conversation) {
    emit("said", { words: `${text("came_back_elsewhere", { who: first.who })} ${answer.words}` });
    return;
  }
  fill(current().text);
  form().elements.seen_up_to.value = first.seen;
  if (answer.html) refusal(answer.html);
  else problem(answer.words);
  announce(document.getElementById("composer-problem").textContent.trim());
}

/** In the server's own words. A draft whose key was used up has a new one; an answer that is told of is seen. */
function refusal(html) {
  const place = document.getElementById("composer-problem");
  place.innerHTML = html;
  const box = place.querySelector(".refusal");
  if (!box) return;
  if (box.dataset.draftKey) {
    form().elements.draft_key.value = box.dataset.draftKey;
    current().key = box.dataset.draftKey;
  }
  if (box.dataset.seenUpTo) form().elements.seen_up_to.value = box.dataset.seenUpTo;
}

function failedHere({ elt, words }) {
  if (elt.matches?.("[data-composer]")) problem(words);
}

/** Nothing of another kind is written over by “saved again”. */
function unsaved(words) {
  if (!form()) return;
  const box = document.querySelector("#composer-problem .refusal");
  if (!words && !("unsaved" in (box?.dataset ?? {}))) return;
  problem(words);
  if (words) document.querySelector("#composer-problem .refusal").dataset.unsaved = "";
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

/** A message of ours that another tab sent, or a post whose answer was lost: its draft is used up. */
function drawn(detail) {
  cost();
  if (!form()) return;
  const ours = postsOf(openConversation()).map((one) => one.key);
  for (const row of [...detail.fresh, ...detail.beyond]) {
    const key = row.dataset.fromDraft?.split(":")[0];
    if (!key || ours.includes(key) || !wasSent(key)) continue;
    fill(current().text);
    problem("");
  }
}
