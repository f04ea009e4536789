// Everything that ticks, from one timer: “3 s ago”, what is left to reply, a code's last minutes.
import { emit, on } from "../events.js";
import { now } from "../live/server_clock.js";
import { text } from "./texts.js";

const TICK_MS = 1_000;
// As messaging/reply_window/urgency.py has them, for a page that stands open.
const SOON_S = 3_600;
const NOW_S = 600;
const NEAR_SHARE = 8;
const FORMS = { left: timeLeft, seconds: (left) => text("seconds", { seconds: Math.max(0, Math.ceil(left)) }) };
const day = dayFormat();
const drawnOn = day.format(now());

export function startClock() {
  setInterval(tick, TICK_MS);
  on("drawn", tick);
  on("settled", tick);
}

/** Days begin in the reader's own zone, as the server's words for them do. */
function dayFormat() {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: document.body.dataset.zone || undefined, dateStyle: "short" });
  } catch {
    // a zone that this browser does not know
    return new Intl.DateTimeFormat("en", { dateStyle: "short" });
  }
}

function tick() {
  const moment = now();
  for (const element of document.querySelectorAll("time[data-ago]")) {
    write(element, ago(Math.max(0, moment - Date.parse(element.dateTime)) / 1000));
  }
  for (const bar of document.querySelectorAll("progress[data-until]")) {
    bar.value = Math.max(0, Number(bar.dataset.until) - moment / 1000);
  }
  for (const element of document.querySelectorAll("[data-waiting-since]")) {
    write(element, waiting(Math.max(0, moment / 1000 - Number(element.dataset.waitingSince))));
  }
  for (const element of document.querySelectorAll("[data-countdown]")) {
    count(element, Number(element.dataset.countdown) - moment / 1000);
  }
  for (const element of document.querySelectorAll("[data-window-until]")) {
    showWindow(element, Number(element.dataset.windowUntil) - moment / 1000);
  }
  if (day.format(now()) !== drawnOn) newDay();
}

/** The last hour is soon, the last ten minutes are now; what is over presses nobody. */
function urgency(left) {
  if (left <= 0 || left > SOON_S) return "";
  return left <= NOW_S ? "now" : "soon";
}

/** A reply window that runs out: its colour everywhere, on a row its words and its ring too. */
function showWindow(element, left) {
  const { windowS, closes } = element.dataset;
  const pressing = urgency(left);
  mark(element, "data-urgency", pressing);
  mark(element, "data-near", left > 0 && left * NEAR_SHARE < windowS ? "yes" : "");
  const words = element.querySelector("[data-window-words]");
  if (!words) return;
  write(words, pressing ? closes : timeLeft(left));
  const share = Math.min(100, Math.max(1, Math.round((left * 100) / windowS)));
  mark(element.querySelector(".ring circle:last-child"), "stroke-dasharray", `${share} 100`);
}

function mark(element, name, value) {
  if (!value) element?.removeAttribute(name);
  else if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function count(element, seconds) {
  if (seconds <= 0 && element.dataset.lapsed !== element.dataset.countdown) {
    element.dataset.lapsed = element.dataset.countdown;
    emit("lapsed");
  }
  write(element, (FORMS[element.dataset.form] ?? minutes)(seconds));
}

function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function ago(seconds) {
  if (seconds < 60) return text("seconds_ago", { count: Math.floor(seconds) });
  if (seconds < 3_600) return text("minutes_ago", { count: Math.floor(seconds / 60) });
  if (seconds < 86_400) return text("hours_ago", { count: Math.floor(seconds / 3_600) });
  return text("days_ago", { count: Math.floor(seconds / 86_400) });
}

function waiting(seconds) {
  if (seconds < 60) return text("waiting_now");
  if (seconds < 3_600) return text("waiting_minutes", { count: Math.floor(seconds / 60) });
  if (seconds < 86_400) return text("waiting_hours", { count: Math.floor(seconds / 3_600) });
  return text("waiting_days", { count: Math.floor(seconds / 86_400) });
}

/** What is left of a reply window, as `messaging/reply_window/window_words.py` says it. */
function timeLeft(seconds) {
  if (seconds <= 0) return text("window_closed");
  if (seconds < 60) return text("less_than_minute");
  const whole = Math.floor(seconds / 60);
  const parts = { hours: Math.floor(whole / 60), minutes: String(whole % 60).padStart(2, "0") };
  if (parts.hours >= 3) return text("hours_left", parts);
  return parts.hours ? text("hours_minutes", parts) : text("minutes", { minutes: whole });
}

function minutes(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** “Today” would be a lie after midnight; a page in use is left alone until it rests. */
function newDay() {
  const field = document.activeElement?.matches("input,textarea");
  if (!field && !document.querySelector("dialog[open]")) location.reload();
}
