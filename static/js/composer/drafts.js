// Drafts on the server, one per kind: saved a moment after the last key, flushed on leaving. A draft
// that another tab changed is never overwritten silently. What is not saved yet also lies in this
// tab: a reload asks for the page before the last words are there, and who was signed out cannot save.
// A draft that is posted is followed at once by an empty one, whose key this page makes: the server
// takes it over with the post, and nothing is saved before that is answered.
import { emit, on } from "../events.js";
import { isFinal, REFUSAL, send, wordsFor } from "../live/requests.js";
import { postsOf } from "./posts.js";
import { seenAccount } from "./seen_account.js";

const SAVE_AFTER_MS = 600;
const RETRY_MS = 3_000;
const LONGEST_RETRY_MS = 60_000;
const TIMEOUT_MS = 10_000;
const KEEPALIVE_MOST = 60_000;

const books = new Map(); // address of the drafts of a conversation → both of them
let book = null;
let timer = 0;
let isFirst = true; // the page as it was loaded; what comes later is drawn for a page that is here

export function startDrafts() {
  window.addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", () => document.hidden && flush());
  on("welcome", () => again({ failures: 0 }));
  on("renewed", () => again({ failures: 0, refused: null }));
}

/** The drafts of the conversation that is open now; the one before is saved to its end. */
export function load(form) {
  flush();
  const kept = JSON.parse(form.dataset.drafts);
  const posts = postsOf(form.dataset.composer);
  const typed = form.elements.text.value; // refused without script: the page was drawn with it
  if (typed) kept.reply.text = typed;
  book = { url: form.dataset.draftUrl, kind: "reply", drafts: {} };
  for (const kind of ["reply", "note"]) {
    const own = posts.filter((one) => one.kind === kind);
    book.drafts[kind] = own.length ? followsOn(own, kept[kind]) : fresh(kept[kind]);
    takeBack(book, kind);
  }
  isFirst = false;
  books.set(book.url, book);
  showConflict();
}

function fresh(draft) {
  return { ...draft, saved: draft.text, saving: null, other: null, posts: 0 };
}

/** What the server still has may be what is on its way: the draft is the one after it. */
function followsOn(posts, { number }) {
  const key = posts.at(-1).nextKey;
  return { ...fresh({ key, number, text: "" }), posts: posts.length };
}

function place(url, kind) {
  return `draft ${document.body.dataset.user} ${url} ${kind}`;
}

/** With its number, unless a post is under way that will change it. `sending`: the part being saved. */
function layBy(mine, kind) {
  const { text, saved, key, number, posts, sending } = mine.drafts[kind];
  lay(mine.url, kind, text === saved ? null : { text, key, number: posts ? null : number, sending });
}

function lay(url, kind, left) {
  try {
    if (left) sessionStorage.setItem(place(url, kind), JSON.stringify(left));
    else sessionStorage.removeItem(place(url, kind));
  } catch {
    // no room, or forbidden: then the server alone has it
  }
}

/**
 * All of it is saved. A page that was asked for already may have been drawn before that: it takes the
 * words from here.
 */
function laySaved(mine, kind) {
  const { text, key, number } = mine.drafts[kind];
  lay(mine.url, kind, { text, key, number, savedAt: Date.now() });
}

/** What was laid by, in this tab alone. */
function laidBy(url, kind) {
  try {
    return JSON.parse(sessionStorage.getItem(place(url, kind)) ?? "null");
  } catch {
    return null;
  }
}

/**
 * What this tab could not save. Where the server's draft is another by now the person decides; where
 * it is empty by now it went out with a message, and must not look as if it had not.
 */
function takeBack(mine, kind) {
  const left = laidBy(mine.url, kind);
  const draft = mine.drafts[kind];
  if (left?.savedAt) {
    const { text, key, number, savedAt } = left;
    const isOlder = isFirst && savedAt >= performance.timeOrigin && draft.number < number;
    if (isOlder) Object.assign(draft, { text, key, number, saved: text });
    layBy(mine, kind);
    return;
  }
  const isSaved = left?.sending && left.key === draft.key && left.sending === draft.saved;
  const isOurs = left && (isSaved || left.number === draft.number || left.number === null || draft.posts);
  const isOther = left && (!isOurs || (left.number === null && draft.saved && left.key !== draft.key));
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
  const draft = current();
  draft.text = words;
  if (words === draft.saved) taken(book, draft);
  layBy(book, book.kind);
  saveSoon(book, book.kind);
}

function saveSoon(mine, kind, wait = SAVE_AFTER_MS) {
  clearTimeout(timer);
  timer = setTimeout(save, wait, mine, kind);
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID lacks without https
  return [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
}

/** The draft is posted: what follows is a new one. `rest`: once no save of it is under way. */
export function handOver() {
  clearTimeout(timer);
  const draft = current();
  const { key, text, saved, saving } = draft;
  Object.assign(draft, { key: newKey(), text: "", saved: "", saving: null, other: null, unsure: null });
  draft.posts += 1;
  layBy(book, book.kind);
  showConflict();
  return { draftUrl: book.url, kind: book.kind, key, text, saved, nextKey: draft.key, rest: () => saving };
}

/** The message took its draft along. `now`: the server's draft after it. */
export function wentOut({ draftUrl, kind }, now) {
  const mine = books.get(draftUrl);
  if (!mine) return;
  const draft = mine.drafts[kind];
  draft.posts = Math.max(0, draft.posts - 1);
  if (now.number >= draft.number) standsAt(mine, kind, now);
  layBy(mine, kind);
  if (draft.text !== draft.saved && !draft.other && !draft.posts) saveSoon(mine, kind);
  if (mine === book) showConflict();
}

function standsAt(mine, kind, now) {
  const draft = mine.drafts[kind];
  if (now.text && now.text !== draft.text) draft.other = now;
  else Object.assign(draft, { number: now.number, saved: now.text });
  if (!draft.posts && now.number && !draft.other) draft.key = now.key;
}

/** Not taken: the text stands before what was typed since. Whether that is in the open composer. */
export function cameBack(posts, { isUnsure }) {
  const [{ draftUrl, kind, key, nextKey, saved }] = posts;
  const text = posts.map((one) => one.text);
  const mine = books.get(draftUrl);
  if (!mine) {
    const left = laidBy(draftUrl, kind);
    const since = left && !left.savedAt ? left.text : "";
    lay(draftUrl, kind, { text: [...text, since].filter(Boolean).join("\n"), key, number: null });
    return false;
  }
  const draft = mine.drafts[kind];
  draft.text = [...text, draft.text].filter(Boolean).join("\n");
  const known = draft.savedLate?.key === key ? draft.savedLate.text : saved;
  Object.assign(draft, { key, saved: known, posts: 0, unsure: isUnsure ? { key, nextKey, text: text[0] } : null });
  layBy(mine, kind);
  if (mine === book) saveSoon(mine, kind);
  else save(mine, kind, true);
  return mine === book && kind === book.kind;
}

/** A message with this key stands in the conversation though nobody here knew: whether the draft changed. */
export function wasSent(key) {
  if (!book) return false;
  let isChanged = false;
  for (const kind of Object.keys(book.drafts)) {
    const draft = book.drafts[kind];
    const { unsure } = draft;
    const isUnsure = unsure?.key === key;
    if (!isUnsure && draft.key !== key && draft.former !== key) continue;
    if (isUnsure) draft.text = without(draft.text, unsure.text);
    else if (draft.text === draft.saved) draft.text = ""; // untouched here: the very text that went
    Object.assign(draft, { key: draft.key === key ? newKey() : draft.key, saved: "", unsure: null, former: "" });
    draft.other = draft.other?.text ? draft.other : null;
    layBy(book, kind);
    isChanged ||= kind === book.kind;
  }
  showConflict();
  return isChanged;
}

function without(words, gone) {
  return words.startsWith(gone) ? words.slice(gone.length).replace(/^\n/, "") : words;
}

/** Another text in its place, which the server has as its draft by now. */
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

/** The line is back, or the token is a new one: what it kept from being saved is tried now. */
function again(since) {
  if (!book) return;
  for (const draft of Object.values(book.drafts)) Object.assign(draft, since);
  if (!isAtRest(current())) saveSoon(book, book.kind);
}

/** Nothing to save; or what was refused for good, which is tried again once it is another text. */
function isAtRest(draft) {
  return draft.text === draft.saved || draft.text === draft.refused || draft.other || draft.posts;
}

function save(mine, kind, leaving = false) {
  const draft = mine.drafts[kind];
  if (isAtRest(draft) || draft.saving) return;
  const saving = saveNow(mine, kind, leaving).then((isLater) => {
    if (draft.saving === saving) draft.saving = null;
    draft.failures = isLater ? (draft.failures ?? 0) + 1 : 0;
    if (isAtRest(draft) || mine !== book) return;
    const wait = isLater ? Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (draft.failures - 1)) : SAVE_AFTER_MS;
    saveSoon(mine, kind, wait);
  });
  draft.saving = saving;
}

async function saveNow(mine, kind, leaving) {
  const draft = mine.drafts[kind];
  const sent = { text: draft.text, key: draft.key, number: draft.number };
  draft.sending = sent.text;
  layBy(mine, kind);
  try {
    const response = await send(mine.url, {
      isAsked: true, // somebody types
      body: new URLSearchParams({ ...sent, kind, account: mine === book ? seenAccount() : "" }),
      keepalive: leaving && sent.text.length * 3 < KEEPALIVE_MOST,
      signal: leaving ? undefined : AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 409) changed(mine, kind, sent, await response.json());
    else if (isFinal(response)) await refused(mine, kind, sent, response);
    else if (response.ok) kept(mine, kind, sent, await response.json());
    else return true;
    return false;
  } catch {
    return true; // the line is down: the text stands in the page and is saved later
  } finally {
    if (draft.sending === sent.text) draft.sending = null;
  }
}

/** It stays in this tab; said by the composer, once. Signed out is said over the page. */
async function refused(mine, kind, sent, { status, headers }) {
  mine.drafts[kind].refused = sent.text;
  const refusal = headers.get(REFUSAL);
  if (status < 400 || status === 401 || refusal === "token") return;
  const words = await wordsFor(status, refusal, "draft");
  if (mine === book && kind === book.kind) emit("unsaved", { words });
}

/** What was refused counts no more. */
function taken(mine, draft) {
  if (draft.refused && mine === book) emit("unsaved", { words: "" });
  draft.refused = null;
}

function kept(mine, kind, sent, answer) {
  const draft = mine.drafts[kind];
  taken(mine, draft);
  if (sent.key !== draft.key || draft.posts) {
    // It was posted meanwhile, and may come back.
    draft.savedLate = { key: sent.key, text: sent.text };
    draft.number = Math.max(draft.number, answer.number);
    return;
  }
  if (answer.number <= draft.number && draft.number !== sent.number) return;
  Object.assign(draft, { number: answer.number, key: answer.key, saved: sent.text });
  if (draft.text === draft.saved) laySaved(mine, kind);
  else layBy(mine, kind);
  if (mine === book && kind === "reply") emit("parts", { parts: answer.parts, text: sent.text });
}

/** Two tabs, one draft: the person decides which text stands. An empty one is no text to decide on. */
function changed(mine, kind, sent, other) {
  const draft = mine.drafts[kind];
  if (sent.key !== draft.key || draft.posts) return; // it was posted meanwhile
  if (other.number && other.number < draft.number) return;
  if (draft.unsure && other.key === draft.unsure.nextKey) {
    if (mine === book && wasSent(draft.unsure.key)) emit("draft", { text: draft.text });
    Object.assign(draft, { key: other.key, number: other.number, saved: other.text });
  } else if (!other.text || [draft.text, draft.left].includes(other.text)) {
    // Sent or emptied elsewhere; or ours too, what the page before this one still saved.
    const former = other.key === draft.key ? "" : draft.key;
    Object.assign(draft, { key: other.key, number: other.number, saved: other.text, former });
  } else if (other.number > draft.number) draft.other = other;
  layBy(mine, kind);
  if (mine === book) showConflict();
}

function showConflict() {
  emit("conflict", { isThere: Boolean(current().other) });
}

/** The person chose between this text and another tab's. Whether there was anything to choose. */
export function decide({ takesTheirs }) {
  const draft = current();
  const { other } = draft;
  draft.other = null;
  showConflict();
  if (!other) return false;
  Object.assign(draft, { key: other.key, number: other.number, saved: other.text });
  if (takesTheirs) draft.text = other.text;
  layBy(book, book.kind);
  emit("draft", { text: draft.text });
  if (!takesTheirs) remember(draft.text);
  return true;
}
