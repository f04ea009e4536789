// The public page of a scan link: asks for its own fragment, again and again. No websocket.

import { draw, read } from "../live/upsert.js";
import { startClock } from "../page/clock.js";

const EVERY_MS = 1_500;
const TIMEOUT_MS = 10_000;

let running = false;

startClock();
document.addEventListener("visibilitychange", look);
setInterval(look, EVERY_MS);

async function look() {
  const over = document.querySelector("[data-final]");
  if (running || over || document.hidden) return;
  running = true;
  try {
    const response = await fetch(document.body.dataset.watch, {
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const root = response.ok ? read(await response.text()) : null;
    if (root) draw(root);
  } catch {
    // the line is down: the next look may get through
  }
  running = false;
}
