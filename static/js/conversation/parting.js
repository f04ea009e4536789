// A conversation that the reader can no longer see or answer: what happened stands in its place, with
// the text that they had begun. What was not saved yet lies in this tab, or in the composer itself.

import { isNote } from "../composer/form.js";
import { on } from "../events.js";
import { announce } from "../page/texts.js";

/** The news of a conversation that is gone: its panel takes the place of the conversation. */
export function part(root) {
  const pane = document.getElementById("conversation-pane");
  const panel = root.querySelector("[data-parted]");
  if (!panel || pane?.querySelector("#open-conversation")?.dataset.conversation !== root.dataset.gone) return;
  const field = pane.querySelector("[data-composer] textarea[name=text]");
  const typed = field && { kind: isNote() ? "note" : "reply", words: field.value };
  const isWriting = document.activeElement === field;
  pane.replaceChildren(document.importNode(panel, true));
  fill(typed);
  const words = pane.querySelector("[data-kept-kind]:not([hidden]) textarea");
  // The keys that are still on their way go into a text that does not change.
  if (isWriting) (words ?? pane.firstElementChild).focus({ preventScroll: true });
  const said = pane.querySelectorAll("h1, [data-parted-reason]");
  announce([...said].map((one) => one.textContent.trim()).join(". "));
  on("refused", () => setTimeout(fill), { once: true });
}

/** The last words: as `typed` in the composer, or as they lie in this tab alone. */
export function fill(typed) {
  for (const place of document.querySelectorAll("[data-kept-kind]")) {
    const box = place.closest("[data-kept]");
    const { keptKind: kind } = place.dataset;
    const own = (typed?.kind === kind && typed.words) || laidBy(box.dataset.kept, kind);
    if (!own) continue;
    const area = place.querySelector("textarea");
    area.value = both(own, area.value);
    place.hidden = box.hidden = false;
  }
}

/** Another tab may have saved another text. */
function both(own, saved) {
  if (!saved || own.includes(saved)) return own;
  return saved.includes(own) && own.length < saved.length ? saved : `${own}\n\n${saved}`;
}

/** As drafts.js lays it by. */
function laidBy(url, kind) {
  try {
    const name = `draft ${document.body.dataset.user} ${url} ${kind}`;
    return JSON.parse(sessionStorage.getItem(name) ?? "null")?.text ?? "";
  } catch {
    return ""; // storage is blocked
  }
}
