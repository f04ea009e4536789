// Two tabs, one draft: the box that lets the person decide which text stands.
import { on } from "../events.js";
import { decide } from "./drafts.js";
import { field } from "./form.js";

export function startDraftConflict() {
  on("conflict", ({ isThere }) => {
    const box = document.getElementById("draft-conflict");
    if (box) box.hidden = !isThere;
  });
  document.addEventListener("click", ({ target }) => {
    const takesTheirs = Boolean(target.closest("[data-take-theirs]"));
    if (!takesTheirs && !target.closest("[data-keep-mine]")) return;
    if (decide({ takesTheirs })) field()?.focus({ preventScroll: true });
  });
}
