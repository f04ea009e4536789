// What a new message does besides being there: a sound, the count in the title, a word to screen
// readers. Nothing for what is old, and no sound for what the reader is looking at.
import { now } from "./news.js";
import { announce, counted, text } from "./texts.js";

const KEY = "weilink-muted";
const OLD_MS = 10 * 60_000;
const QUIET_MS = 1_500;
const ELSEWHERE_MS = 10_000;

const known = new Map();
let sound = null;
let lastSound = 0;
let elsewhere = 0;
let elsewhereTimer = 0;

export function startAlerts() {
  learn();
  setTitle(Number(document.body.dataset.unread) || 0);
  for (const button of document.querySelectorAll("[data-sound]")) bindMute(button);
  for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, unlock, { once: true, passive: true });
  }
  document.addEventListener("console:drawn", hear);
  document.addEventListener("console:opened", ({ detail }) => rename(detail.thread));
  document.addEventListener("console:settled", () => rename(document.querySelector("#conversation-pane [data-title]")));
}

function rows(root = document) {
  return root.querySelectorAll("li.conversation");
}

function learn() {
  for (const row of rows()) known.set(row.id, row.dataset.key);
}

function hear({ detail }) {
  if (detail.isPage) {
    learn();
    return;
  }
  const { root } = detail;
  if (root.dataset.unread !== undefined) setTitle(Number(root.dataset.unread));
  if (root.dataset.open === document.getElementById("thread")?.dataset.conversation) rename(root);
  const fresh = heardRows(root, detail.fresh);
  learn();
  for (const row of fresh) known.set(row.id, row.dataset.key);
  if (!fresh.length) return;
  const looking = !document.hidden && document.hasFocus();
  const open = `conversation-${document.getElementById("thread")?.dataset.conversation}`;
  if (fresh.some((row) => row.id !== open || !looking)) play();
  for (const row of fresh) speak(row, row.id === open);
}

/** Rows whose last message is theirs, young, and was not known to this page. */
function heardRows(root, inserted) {
  const ids = new Set([...rows(root), ...inserted].map((row) => row.id));
  const drawn = (id) => document.getElementById(id) ?? inserted.find((row) => row.id === id);
  return [...ids].map(drawn).filter((row) => row && isNew(row));
}

function isNew(row) {
  if (!row.classList.contains("conversation") || !("fromThem" in row.dataset)) return false;
  const young = now() - Number(row.dataset.at) * 1000 < OLD_MS;
  const before = known.get(row.id);
  return young && (before === undefined || row.dataset.key > before);
}

function speak(row, isOpen) {
  if (isOpen) {
    announce(text("heard", { who: row.dataset.who, text: row.dataset.text }));
    return;
  }
  elsewhere += 1;
  if (elsewhereTimer) return;
  elsewhereTimer = setTimeout(() => {
    announce(counted("heard_elsewhere", elsewhere));
    elsewhere = 0;
    elsewhereTimer = 0;
  }, ELSEWHERE_MS);
}

function setTitle(count) {
  const bare = document.title.replace(/^\(\d+\+?\)\s*/, "");
  document.title = count ? `(${count}) ${bare}` : bare;
}

function rename(element) {
  if (!element?.dataset.title) return;
  const count = document.title.match(/^\(\d+\+?\)\s*/)?.[0] ?? "";
  document.title = `${count}${element.dataset.title} · WeiLink`;
}

function isMuted() {
  try {
    return localStorage.getItem(KEY) === "1";
  } catch {
    return false;
  }
}

function bindMute(button) {
  button.setAttribute("aria-pressed", isMuted());
  button.addEventListener("click", () => {
    const muted = !isMuted();
    try {
      localStorage.setItem(KEY, muted ? "1" : "0");
    } catch { /* storage is blocked: it stays as it is */ }
    button.setAttribute("aria-pressed", isMuted());
    if (!isMuted()) play();
  });
}

/** Browsers let a page sound only after its reader did something. */
function unlock() {
  sound = new AudioContext();
}

function play() {
  if (isMuted() || !sound || Date.now() - lastSound < QUIET_MS) return;
  lastSound = Date.now();
  if (sound.state === "suspended") sound.resume();
  tone(660, 0);
  tone(880, 0.11);
}

function tone(hertz, after) {
  const begin = sound.currentTime + after;
  const oscillator = new OscillatorNode(sound, { frequency: hertz, type: "sine" });
  const gain = new GainNode(sound, { gain: 0 });
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(0.12, begin + 0.015);
  gain.gain.exponentialRampToValueAtTime(0.0005, begin + 0.28);
  oscillator.connect(gain).connect(sound.destination);
  oscillator.start(begin);
  oscillator.stop(begin + 0.3);
}
