// Drafts on the server, one per kind: saved a moment after the last key, flushed on leaving. A draft
// that another tab changed is never overwritten silently. What is not saved yet also lies in this
// tab: a reload asks for the page before the last words are there, and who was signed out cannot save.
import { csrfToken } from "./exchange.js";
import { emit } from "./upsert.js";

const SAVE_AFTER_MS = 600;
const RETRY_MS = 3_000;
const TIMEOUT_MS = 10_000;
const KEEPALIVE_MOST = 60_000;

let book = null;
let timer = 0;

export function startDrafts() {
  document.addEventListener("click", decide);
  window.addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", () => document.hidden && flush());
}

/** The drafts of the conversation that is open now; the one before is saved to its end. */
export function load(form) {
  flush();
  const kept = JSON.parse(form.dataset.drafts);
  const fresh = (draft) => ({ ...draft, saved: draft.text, saving: false });
  book = {
    url: form.dataset.draftUrl,
    kind: "reply",
    drafts: { reply: fresh(kept.reply), note: fresh(kept.note) },
  };
  if (form.elements.text.value) book.drafts.reply.text = form.elements.text.value;
  for (const kind of Object.keys(book.drafts)) takeBack(book, kind);
  showConflict();
}

function place(mine, kind) {
  return `draft ${document.body.dataset.user} ${mine.url} ${kind}`;
}

function layBy(mine, kind) {
  const { text, saved, number } = mine.drafts[kind];
  try {
    if (text === saved) sessionStorage.removeItem(place(mine, kind));
    else sessionStorage.setItem(place(mine, kind), JSON.stringify({ text, number }));
  } catch {
    // no room, or forbidden: then the server alone has it
  }
}

/** What was laid by, in this tab alone. */
function laidBy(mine, kind) {
  try {
    return JSON.parse(sessionStorage.getItem(place(mine, kind)) ?? "null");
  } catch {
    return null;
  }
}

/**
 * What this tab could not save. Where the server's draft is another by now the person decides; where
 * it is empty by now it went out with a message, and must not look as if it had not.
 */
function takeBack(mine, kind) {
  const left = laidBy(mine, kind);
  const draft = mine.drafts[kind];
  const isOther = left && left.number !== draft.number;
  if (!left || left.text === draft.saved || (isOther && !draft.saved)) {
    layBy(mine, kind);
    return;
  }
  if (isOther) draft.other = { text: draft.saved, key: draft.key, number: draft.number };
  draft.text = left.text;
  draft.left = left.text;
  save(mine, kind);
}

export function current() {
  return book.drafts[book.kind];
}

export function switchTo(kind) {
  flush();
  book.kind = kind;
  return current();
}

export function remember(words) {
  current().text = words;
  layBy(book, book.kind);
  clearTimeout(timer);
  timer = setTimeout(save, SAVE_AFTER_MS, book, book.kind);
}

/** The draft is being posted: it is not saved beside that. */
export function pause() {
  clearTimeout(timer);
}

/** The message took the draft along: what follows is a new one. */
export function forget({ key, number, text }) {
  clearTimeout(timer);
  Object.assign(current(), { key, number, text, saved: text, other: null });
  layBy(book, book.kind);
  showConflict();
}

/** What was typed and not saved yet, as the composer is about to be filled anew. */
export function discardTyped() {
  clearTimeout(timer);
  const draft = current();
  return draft.text === draft.saved ? "" : draft.text;
}

function flush() {
  clearTimeout(timer);
  if (!book) return;
  for (const kind of Object.keys(book.drafts)) save(book, kind, true);
}

async function save(mine, kind, leaving = false) {
  const draft = mine.drafts[kind];
  if (draft.text === draft.saved || draft.saving || draft.other) return;
  draft.saving = true;
  const sent = { text: draft.text, key: draft.key, number: draft.number };
  let again = false;
  try {
    const response = await fetch(mine.url, {
      method: "POST",
      headers: { "X-CSRFToken": csrfToken() },
      body: new URLSearchParams({ ...sent, kind }),
      keepalive: leaving && sent.text.length * 3 < KEEPALIVE_MOST,
      signal: leaving ? undefined : AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 200) kept(mine, kind, sent, await response.json());
    else if (response.status === 409) changed(mine, kind, sent, await response.json());
    again = response.status >= 500;
  } catch {
    again = true; // the line is down: the text stands in the page and is saved later
  }
  draft.saving = false;
  if (draft.text !== draft.saved && !draft.other && mine === book) {
    clearTimeout(timer);
    timer = setTimeout(save, again ? RETRY_MS : SAVE_AFTER_MS, mine, kind);
  }
}

function kept(mine, kind, sent, answer) {
  const draft = mine.drafts[kind];
  if (answer.number <= draft.number && draft.number !== sent.number) return; // sent meanwhile
  draft.number = answer.number;
  draft.key = answer.key;
  draft.saved = sent.text;
  layBy(mine, kind);
  if (mine === book && kind === "reply") emit("parts", { parts: answer.parts, text: sent.text });
}

/** Two tabs, one draft: the person decides which text stands. */
function changed(mine, kind, sent, other) {
  const draft = mine.drafts[kind];
  if (other.number <= draft.number) return; // our own message took it along meanwhile
  // Ours too: what stands here, or what the page before this one still sent.
  if (mine === book && [draft.text, draft.left].includes(other.text)) {
    Object.assign(draft, { key: other.key, number: other.number, saved: other.text });
    layBy(mine, kind);
    return;
  }
  draft.other = other;
  if (mine === book) showConflict();
}

function showConflict() {
  const box = document.getElementById("draft-conflict");
  if (box) box.hidden = !current().other;
}

function decide(event) {
  const takes = event.target.closest("[data-take-theirs]");
  const keeps = event.target.closest("[data-keep-mine]");
  if (!takes && !keeps) return;
  const draft = current();
  const { other } = draft;
  draft.other = null;
  showConflict();
  if (!other) return;
  Object.assign(draft, { key: other.key, number: other.number, saved: other.text });
  if (takes) draft.text = other.text;
  layBy(book, book.kind);
  emit("draft", { text: draft.text });
  document.querySelector("[data-composer] textarea")?.focus({ preventScroll: true });
  if (keeps) remember(draft.text);
}
