// Desktop notifications: asked for on the account page only, one per message however many tabs.

import { text } from "../page/texts.js";
import { claim } from "./claims.js";

export function startNotices() {
  const line = document.querySelector("[data-permission]");
  if (!line) return;
  const button = line.querySelector("[data-asks-permission]");
  button.addEventListener("click", async () => {
    await Notification.requestPermission();
    show(line, button);
  });
  show(line, button);
}

/** What this browser allows, where it matters. */
function show(line, button) {
  const state = "Notification" in window ? Notification.permission : "missing";
  line.hidden = false;
  line.querySelector("[data-permission-words]").textContent = text(`notifications_${state}`);
  button.hidden = state !== "default";
}

export async function notify(one) {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  if (!(await claim("notified", one.id))) return;
  const title = [one.who, one.session].filter(Boolean).join(" · ");
  const icon = document.querySelector('link[rel="icon"]').dataset.plain;
  try {
    const notice = new Notification(title, {
      body: one.text,
      tag: `conversation-${one.conversation}`,
      icon,
      silent: true,
    });
    notice.addEventListener("click", () => open(notice, one));
  } catch {
    // phones allow none from a page: the sound and the title tell
  }
}

function open(notice, one) {
  window.focus();
  notice.close();
  const row = document.querySelector(`#conversation-${one.conversation} > a`);
  if (row) row.click();
  else location.assign(one.url);
}
