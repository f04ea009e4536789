// Which conversation is in view, known to all tabs: the tab that shows it in front holds a lock.
import { on } from "../events.js";

let letGo = null;
let shown = "";

export function startViewing() {
  for (const kind of ["focus", "blur"]) window.addEventListener(kind, look);
  document.addEventListener("visibilitychange", look);
  on("opened", look);
  on("settled", look);
  look();
}

/** In view here, or in front in another tab of this browser. */
export async function isViewed(conversation) {
  look();
  if (shown === conversation) return true;
  if (!navigator.locks) return false;
  const { held } = await navigator.locks.query();
  return held.some((lock) => lock.name === nameOf(conversation));
}

function nameOf(conversation) {
  return `weilink-view-${conversation}`;
}

function look() {
  const inFront = !document.hidden && document.hasFocus();
  const now = (inFront && document.getElementById("open-conversation")?.dataset.conversation) || "";
  if (now === shown) return;
  shown = now;
  letGo?.();
  letGo = null;
  if (!now || !navigator.locks) return;
  const held = new Promise((resolve) => {
    letGo = resolve;
  });
  navigator.locks.request(nameOf(now), { mode: "shared" }, () => held);
}
