// The open conversation: days and groups between neighbours, scroll that never jumps.
import { emit, on } from "../events.js";
import { fetchNews } from "../live/news.js";
import { parse, rewind } from "../live/streams.js";
import { counted } from "../page/texts.js";
import { openAt } from "./jump.js";
import { forgetRead, markRead, startReadMarks } from "./read_marks.js";

const BOTTOM_PX = 80;

let scroller = null;
let atBottom = true;
let seenTop = 0;
let wantsEnd = false;
const below = new Set();
let height = 0;

export function startConversation() {
  on("settled", adopt);
  on("drawing", () => {
    height = scroller?.scrollHeight ?? 0;
    catchUp();
  });
  on("drawn", drawn);
  document.addEventListener("click", jumpDown);
  startReadMarks({ atEnd: () => atBottom && !isCut() });
  window.addEventListener("resize", stick);
  adopt();
}

/** A conversation came into the page, with the page or by a click on a row. */
function adopt() {
  const conversation = document.getElementById("open-conversation");
  const now = document.getElementById("conversation-scroll");
  if (!conversation || now === scroller) return;
  scroller = now;
  atBottom = true;
  below.clear();
  forgetRead();
  scroller.addEventListener("scroll", scrolled, { passive: true });
  new ResizeObserver(stick).observe(scroller);
  regroup();
  begin();
  if (!document.body.dataset.firstConversation) document.body.dataset.firstConversation = "seen";
  else {
    // Drawn at these numbers, perhaps before the page's own: ask what came since.
    rewind(parse(conversation.dataset.streams));
    fetchNews();
  }
  emit("opened", { conversation });
  markRead();
}

/** At the message that was asked for, else at the first unread, else at the end. */
function begin() {
  const list = document.querySelector("[data-messages]");
  const line = list?.querySelector("[data-unread-line]");
  if (list?.dataset.around || isCut()) {
    atBottom = false;
    return;
  }
  stick();
  const asked = wantsEnd;
  wantsEnd = false;
  if (!asked && line && line.offsetTop < scroller.scrollTop) {
    atBottom = false;
    scroller.scrollTop = line.offsetTop - scroller.clientHeight / 4;
  }
}

/** Newer messages exist that are not loaded: the end of the page is not the end of the conversation. */
function isCut() {
  return Boolean(document.querySelector("#later a"));
}

function drawn(detail) {
  if (!scroller?.isConnected) return;
  const mine = detail.fresh.filter((row) => row.classList.contains("message"));
  regroup();
  if (detail.isPage && mine.length) keepPlace(mine);
  else if (atBottom && !isCut()) stick();
  else more([...mine, ...detail.beyond]);
  markRead();
}

/** Older messages came in above: what stands on the screen stays where it is. */
function keepPlace(rows) {
  if (rows[0].nextElementSibling === null || rows.at(-1).nextElementSibling === null) return;
  const grown = scroller.scrollHeight - height;
  if (grown > 0 && scroller.scrollTop < grown) scroller.scrollTop += grown;
}

function more(rows) {
  if (rows.some((row) => "mine" in row.dataset)) {
    toTheEnd();
    return;
  }
  for (const row of rows) if (!row.classList.contains("event")) below.add(row.id);
  showBelow();
}

/** The browser reports a scroll with the next frame only: news may be drawn before that. */
function catchUp() {
  if (scroller?.isConnected && scroller.scrollTop !== seenTop) scrolled();
}

function scrolled() {
  seenTop = scroller.scrollTop;
  const left = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  const before = atBottom;
  atBottom = left < BOTTOM_PX && !isCut();
  if (!atBottom || (before && !below.size)) return;
  below.clear();
  showBelow();
  markRead();
}

function stick() {
  if (!scroller?.isConnected) return;
  if (atBottom) scroller.scrollTop = scroller.scrollHeight;
}

function showBelow() {
  const button = document.querySelector("[data-new-below]");
  if (!button) return;
  button.hidden = below.size === 0;
  button.querySelector("span").textContent = counted("new_below", below.size);
}

function jumpDown(event) {
  if (event.target.closest("[data-new-below]")) toTheEnd();
}

/** What was sent just now is looked at, unless an old place of the conversation is open. */
export function showSent() {
  if (isCut()) return;
  atBottom = true;
  stick();
}

function toTheEnd() {
  below.clear();
  showBelow();
  if (isCut()) {
    wantsEnd = true;
    openAt(location.pathname);
    return;
  }
  atBottom = true;
  stick();
  markRead();
}

/** Day lines and groups depend on neighbours, which come and go. */
function regroup() {
  const list = document.querySelector("[data-messages]");
  if (!list) return;
  for (const line of list.querySelectorAll("[data-day-line]")) line.remove();
  markUnread(list);
  let before = null;
  const sessions = new Set();
  for (const row of list.querySelectorAll(":scope > .message")) {
    if (row.dataset.session) sessions.add(row.dataset.session);
    const newDay = row.dataset.day !== before?.dataset.day;
    if (newDay) above(row).before(dayLine(row));
    row.classList.toggle("continues", !newDay && row.dataset.group === before?.dataset.group);
    before = row;
  }
  list.classList.toggle("is-several", sessions.size > 1);
}

/** “unread from here” stays with its message, whatever is put in above. */
function markUnread(list) {
  const line = list.querySelector("[data-unread-line]");
  const row = document.getElementById(`message-${list.dataset.unreadFrom}`);
  if (line && row && row.previousElementSibling !== line) row.before(line);
}

function dayLine(row) {
  const line = document.createElement("li");
  line.className = "day";
  line.dataset.dayLine = "";
  line.textContent = row.dataset.dayWords;
  return line;
}

function above(row) {
  const line = row.previousElementSibling;
  return line && "unreadLine" in line.dataset ? line : row;
}
