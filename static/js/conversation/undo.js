// A reply that is held back for some seconds: a bar counts down, one click brings the text back.
import { on } from "../events.js";
import { now } from "../live/server_clock.js";
import { text } from "../page/texts.js";

export function startUndo() {
  const bar = () => document.getElementById("undo-bar");
  on("drawn", show);
  on("opened", show);
  setInterval(show, 250);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-undo]")) return;
    held()?.row.querySelector(".message-foot form button")?.click();
    bar().hidden = true;
  });
}

/** The newest of this person's that may still be undone; a text in parts is undone as a whole. */
function held() {
  const rows = document.querySelectorAll("[data-messages] > .is-held[data-mine]");
  const row = rows[rows.length - 1];
  const until = Number(row?.querySelector("[data-countdown]")?.dataset.countdown);
  const seconds = Math.ceil(until - now() / 1000);
  return row && seconds > 0 ? { row, seconds } : null;
}

function show() {
  const bar = document.getElementById("undo-bar");
  if (!bar) return;
  const one = held();
  bar.hidden = !one;
  if (!one) return;
  const words = text("goes_in", { seconds: one.seconds });
  const place = bar.querySelector("[data-undo-words]");
  if (place.textContent !== words) place.textContent = words;
}
