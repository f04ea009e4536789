// What was sent from here and is not answered yet: one post after the other per conversation, in the
// order they were sent. Each stands in the tab until its answer is there, so that a reload neither
// loses nor doubles it: posted again with the same key it is the same message.
import { emit } from "../events.js";
import { refuse } from "../keyboard/typeahead.js";
import { ask } from "../live/ask.js";
import { take } from "../live/exchange.js";
import { openConversation } from "../live/shown.js";
import { text } from "../page/texts.js";
import { mustAnswerFirst } from "./asking.js";

const PLACE = `weilink-posts-${document.body.dataset.user}`;
const GOES_ON_MS = 120_000;
const SETTLES_MS = 100;

const lines = new Map(); // conversation id → posts, oldest first
let isLeaving = false;

export function startPosts() {
  window.addEventListener("pagehide", sendAll);
  document.addEventListener("htmx:confirm", hold);
  goOn();
}

/**
 * Send. Tells `taken` or `refused` when it is answered.
 * @param {import("../events.js").Post} one
 */
export function post(one) {
  add(one);
  keep();
  if (lines.get(one.conversation).length === 1) work(one.conversation);
}

function add(one) {
  one.done = new Promise((resolve) => {
    one.end = resolve;
  });
  if (!lines.has(one.conversation)) lines.set(one.conversation, []);
  lines.get(one.conversation).push(one);
}

export function postsOf(conversation) {
  return lines.get(conversation) ?? [];
}

/** Once all that is on its way in a conversation is answered: whether all of it was taken. */
export async function settled(conversation) {
  const answers = await Promise.all(postsOf(conversation).map((one) => one.done));
  return answers.every(Boolean);
}

async function work(conversation) {
  const line = lines.get(conversation);
  while (line.length) {
    const [one] = line;
    const answer = await carry(one);
    if (!answer.isGood && (await isLeft())) return; // the page that follows takes them on
    if (answer.isGood || (answer.isUnsure && isDrawn(one.key))) {
      line.shift();
      keep();
      draw(one, answer);
      one.end(true);
    } else giveBack(line.splice(0), answer);
  }
}

/** Its message stands in the conversation. A text that went as several has the key of its first one. */
export function isDrawn(key) {
  return Boolean(document.querySelector(`[data-messages] > [data-from-draft="${CSS.escape(key)}"]`));
}

/** @returns {Promise<import("../events.js").Answer>} */
async function carry(one) {
  await one.rest?.();
  for (const file of one.files) await file.done;
  if (one.files.some((file) => !file.id)) return { isGood: false, words: text("files_failed") };
  return ask(one.url, bodyOf(one));
}

function bodyOf(one) {
  const values = new URLSearchParams(one.values);
  for (const file of one.files) values.append("upload", file.id);
  return values;
}

function draw(one, answer) {
  const { root, to } = answer;
  if (to) {
    location.assign(to);
    return;
  }
  const told = root?.dataset ?? {};
  const draft = {
    key: told.draftKey ?? "",
    number: Number(told.draftNumber ?? 0),
    text: root?.querySelector("[data-draft-text]")?.value ?? "",
  };
  emit("taken", { one, draft });
  take(answer);
  emit("went", { one });
  emit("posts", { conversation: one.conversation });
}

/** All of them come back, in their order: what came after a refused one was meant to follow it. */
function giveBack(posts, answer) {
  keep();
  emit("refused", { posts, answer });
  emit("posts", { conversation: posts[0].conversation });
  for (const one of posts) one.end(false);
}

function keep() {
  const all = [...lines.values()].flat().map(({ done, end, rest, files, ...one }) => ({
    ...one,
    files: files.filter((file) => file.id).map(({ id, name, size, thumb, note }) => ({ id, name, size, thumb, note })),
    lacksFiles: files.some((file) => !file.id),
  }));
  try {
    if (all.length) sessionStorage.setItem(PLACE, JSON.stringify(all));
    else sessionStorage.removeItem(PLACE);
  } catch {
    // storage is full or blocked: the post itself goes on without the page
  }
}

/** What the page before this one had not heard the end of; what is too old for that comes back. */
function goOn() {
  let left = [];
  try {
    left = JSON.parse(sessionStorage.getItem(PLACE) ?? "[]");
  } catch {
    // nothing was kept
  }
  const late = new Map();
  for (const one of left) {
    const isLate = late.has(one.conversation) || one.lacksFiles || Date.now() - one.at > GOES_ON_MS;
    if (!isLate) add(one);
    else late.set(one.conversation, [...(late.get(one.conversation) ?? []), one]);
  }
  for (const posts of late.values())
    emit("refused", { posts, answer: { isGood: false, isUnsure: true, words: text("not_reached") } });
  keep();
  for (const conversation of lines.keys()) work(conversation);
}

/** Leaving breaks off what is under way, and says so before the page is gone. */
async function isLeft() {
  await new Promise((resolve) => {
    setTimeout(resolve, SETTLES_MS);
  });
  return isLeaving;
}

/** The page goes away: what is still in line goes now, in order. The same keys make each one message. */
function sendAll() {
  isLeaving = true;
  for (const line of lines.values()) {
    for (const one of line.slice(1)) if (one.files.every((file) => file.id)) ask(one.url, bodyOf(one));
  }
}

/** What is done with the conversation comes after what is being sent there, and not if that is refused. */
function hold(event) {
  const { elt, path, issueRequest } = event.detail;
  const form = elt.closest?.("#head-actions");
  if (!form || elt.matches("[data-opens-dialog]")) return;
  if (path === form.getAttribute("action") && mustAnswerFirst()) {
    event.preventDefault();
    refuse(text("answer_first"));
  } else if (postsOf(openConversation()).length) {
    event.preventDefault();
    settled(openConversation()).then((isGood) => isGood && issueRequest(true));
  }
}
