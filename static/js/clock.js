// Everything that ticks, from one timer: “3 s ago”, what is left to reply, a code's last minutes.
import { now } from "./news.js";
import { text } from "./texts.js";
import { emit } from "./upsert.js";

const TICK_MS = 1_000;
const FORMS = { hours, about, seconds: (left) => text("seconds", { seconds: Math.max(0, Math.ceil(left)) }) };
const day = dayFormat();
const drawnOn = day.format(now());

export function startClock() {
  setInterval(tick, TICK_MS);
  document.addEventListener("console:drawn", tick);
  document.addEventListener("console:settled", tick);
}

/** Days begin in the reader's own zone, as the server's words for them do. */
function dayFormat() {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: document.body.dataset.zone || undefined, dateStyle: "short" });
  } catch { // a zone that this browser does not know
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
  if (day.format(now()) !== drawnOn) newDay();
}

function count(element, seconds) {
  if (seconds <= 0 && element.dataset.lapsed !== element.dataset.countdown) {
    element.dataset.lapsed = element.dataset.countdown;
    emit("lapsed", {});
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

function hours(seconds) {
  if (seconds < 60) return text("less_than_minute");
  const whole = Math.floor(seconds / 60);
  const left = { hours: Math.floor(whole / 60), minutes: String(whole % 60).padStart(2, "0") };
  return left.hours ? text("hours_minutes", left) : text("minutes", { minutes: whole });
}

function about(seconds) {
  return seconds < 3_600 ? hours(seconds) : text("about_hours", { hours: Math.round(seconds / 3_600) });
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
