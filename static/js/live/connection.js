// The websocket: frames with what changed, hints and heartbeats with numbers. Down, stalled or refused,
// the page polls; a banner says so after a moment. Reconnect, gap and heartbeat end in the same fetch.
import { emit, on } from "../events.js";
import { reloadAtRest } from "../keyboard/focus.js";
import { clearBanner, showConnection, showSignedOut } from "./connection_banner.js";
import { drawCounts } from "./counts.js";
import { takeFrame } from "./frames.js";
import { fetchNews } from "./news.js";
import { renew } from "./requests.js";
import { startShowing } from "./showing.js";
import { hear, turnedBack } from "./streams.js";

const BANNER_AFTER_MS = 1_500;
const POLL_AFTER_MS = 3_000;
const POLL_EVERY_MS = 5_000;
const PULSE_MS = 20_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
const UNAUTHORISED = 4401;

let socket = null;
let wait = FIRST_WAIT_MS;
let beatMs = 10_000;
let watchdog = 0;
let reopening = 0;
let downSince = Date.now();
let bannerTimer = 0;
let signedOut = false;
let away = [];

export function startConnection() {
  if (!document.body.dataset.live) return;
  startShowing((words) => socket?.readyState === WebSocket.OPEN && socket.send(words));
  open();
  setInterval(pulse, PULSE_MS);
  setInterval(pollWhileDown, POLL_EVERY_MS);
  window.addEventListener("online", anew);
  window.addEventListener("offline", showBanner);
  document.addEventListener("visibilitychange", () => document.hidden || again());
  window.addEventListener("focus", () => signedOut && again());
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  on("signed-out", signOut);
  on("renewed", signIn);
  on("lapsed", () => fetchNews());
  on("refused", () => fetchNews()); // the conversation may be gone
}

function open() {
  clearTimeout(reopening);
  if (signedOut) return;
  const address = new URL(document.body.dataset.socket, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  if (downSince && !bannerTimer) bannerTimer = setTimeout(showBanner, BANNER_AFTER_MS);
  const mine = new WebSocket(address);
  socket = mine;
  guard(POLL_AFTER_MS * 3);
  mine.addEventListener("message", (event) => mine === socket && hearFrame(JSON.parse(event.data)));
  mine.addEventListener("close", (event) => mine === socket && lost(event.code));
}

function hearFrame(frame) {
  guard(2 * beatMs + 5_000);
  if (frame.type === "reload") {
    reloadAtRest();
    return;
  }
  if (frame.type === "notice") {
    emit("notice", frame);
    return;
  }
  if (frame.type === "trouble") {
    away = frame.parts;
    showBanner();
    if (!away.length) fetchNews();
    return;
  }
  if (frame.type === "counts") {
    drawCounts(frame);
    return;
  }
  if (frame.type === "frame") {
    if (takeFrame(frame)) fetchNews();
    return;
  }
  if (frame.type === "hello") welcome(frame);
  if (frame.type === "beat") socket.send(JSON.stringify({ type: "beat" }));
  if (hear(frame.streams ?? {}) || frame.type === "hello") fetchNews();
  else if ((frame.about ?? []).includes("pulse")) fetchNews({ everything: "pulseWhole" in document.body.dataset });
  else if ((frame.about ?? []).some((topic) => topic.startsWith("login:"))) fetchNews();
}

function welcome(frame) {
  if (turnedBack(frame.streams)) {
    reloadAtRest();
    return;
  }
  beatMs = (frame.beat_s ?? 10) * 1000;
  guard(2 * beatMs + 5_000);
  wait = FIRST_WAIT_MS;
  downSince = 0;
  away = frame.away ?? [];
  clearTimeout(bannerTimer);
  bannerTimer = 0;
  showBanner();
  emit("welcome");
}

/** A socket that stays silent for too long is a dead one, whatever it says of itself. */
function guard(silenceMs) {
  clearTimeout(watchdog);
  watchdog = setTimeout(drop, silenceMs);
}

function drop() {
  const dead = socket;
  socket = null;
  dead?.close();
  lost();
}

/** @param {number} [code] why it was closed; the console says so when the login has ended */
function lost(code) {
  if (code === UNAUTHORISED) renew(); // the page says at once that nobody is signed in
  clearTimeout(watchdog);
  socket = null;
  if (!downSince) downSince = Date.now();
  if (!bannerTimer) bannerTimer = setTimeout(showBanner, BANNER_AFTER_MS);
  clearTimeout(reopening);
  reopening = setTimeout(open, wait * (0.7 + Math.random() * 0.6));
  wait = Math.min(wait * 1.5, LONGEST_WAIT_MS);
}

/** Another network, perhaps: what the old socket says of itself means nothing. */
function anew() {
  const old = socket;
  socket = null;
  old?.close();
  again();
}

/** The reader is back: try now. */
function again() {
  if (signedOut) {
    renew().then((isBack) => isBack && emit("renewed")); // perhaps in another tab
    return;
  }
  showBanner();
  if (socket?.readyState === WebSocket.OPEN) {
    fetchNews();
    return;
  }
  wait = FIRST_WAIT_MS;
  if (socket?.readyState !== WebSocket.CONNECTING) open();
}

function pollWhileDown() {
  if (!signedOut && downSince && Date.now() - downSince > POLL_AFTER_MS && navigator.onLine) fetchNews();
}

/** What no stream numbers: how long ago a session was heard. Other pages are told of a pulse. */
function pulse() {
  if (!document.hidden && !downSince && "pulseWhole" in document.body.dataset) fetchNews({ everything: true });
}

function showBanner() {
  if (!signedOut) showConnection({ isDown: downSince > 0 && Date.now() - downSince >= BANNER_AFTER_MS, away });
}

function signOut(why) {
  if (!showSignedOut(why)) return;
  signedOut = true;
  clearTimeout(reopening);
  socket?.close();
}

/** The same person is signed in again. */
function signIn() {
  if (!signedOut) return;
  signedOut = false;
  clearBanner();
  anew();
}
