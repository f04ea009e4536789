// Bubbles of what is on its way to the console: shown at once, below the messages, and gone when the
// message itself is there. Their words are the page's, in its templates.

import { isDrawn, postsOf } from "../composer/posts.js";
import { on } from "../events.js";
import { visible } from "../page/unseen.js";
import { showSent } from "./conversation.js";

const STAYS = "\n\t\u061c\u200e\u200f";

export function startSendings() {
  on("posts", (detail) => show(detail));
  on("drawn", () => show({}));
}

function show({ conversation = "", isNew = false }) {
  const place = document.querySelector("[data-sendings]");
  if (!place || (conversation && place.dataset.sendings !== conversation)) return;
  const posts = postsOf(place.dataset.sendings).filter((one) => !one.isParked && !isDrawn(one.key));
  const keys = posts.map((one) => one.key);
  for (const bubble of [...place.children]) if (!keys.includes(bubble.dataset.post)) bubble.remove();
  const known = new Set([...place.children].map((bubble) => bubble.dataset.post));
  for (const one of posts) if (!known.has(one.key)) place.append(bubbleOf(one));
  if (isNew) showSent();
}

function bubbleOf(one) {
  const template = document.querySelector(`template[data-sending="${one.kind}"]`);
  const bubble = template.content.firstElementChild.cloneNode(true);
  bubble.dataset.post = one.key;
  const words = [one.text, ...one.files.map((file) => `📎 ${file.name}`)].filter((line) => line.trim());
  bubble.querySelector("[data-words]").textContent = visible(words.join("\n"), STAYS);
  return bubble;
}
