// The page of the simulated WeChat: asks for the state, held open until it changes, and shows it.
// Everything it does is a call of the control interface that a test can make as well.

import { bindChat, showChats } from "./chat.js";
import { showPhones, tick } from "./phones.js";
import { bindServer, showServer } from "./server.js";
import { calm, complain, one, onlyCode, read } from "./wire.js";

const RETRY_MS = 1500;

function show(state) {
  showPhones(state);
  if (onlyCode) return undefined;
  showServer(state);
  return showChats(state);
}

function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", resolve, { once: true });
  });
}

async function follow() {
  let version = "";
  for (;;) {
    await visible();
    try {
      const state = await read("state", { version });
      await show(state);
      if (version === "") document.body.dataset.ready = "true";
      else if (one("[data-failed]").dataset.line) calm();
      version = state.version;
    } catch {
      one("[data-failed]").dataset.line = "down";
      complain();
      version = "";
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

for (const part of document.querySelectorAll("[data-normal]")) part.hidden = Boolean(onlyCode);
for (const part of document.querySelectorAll("[data-scan-only]")) part.hidden = !onlyCode;

const link = one("[data-language-link]");
if (onlyCode) link.href = `${link.getAttribute("href")}&code=${encodeURIComponent(onlyCode)}`;

bindChat();
bindServer();
setInterval(tick, 1000);
follow();
