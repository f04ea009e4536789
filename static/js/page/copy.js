// Copies an address or words to the clipboard; where the browser refuses, selects it for the person.
import { announce, text } from "./texts.js";

const SHOWN_MS = 2_000;

export function startCopying() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copies]");
    if (button) copy(button);
    const link = event.target.closest("[data-copies-text]");
    if (link) copyAddress(link);
    const words = event.target.closest("[data-copies-words]");
    if (words) copyWords(words.dataset.copiesWords, words);
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    // The form itself may have been drawn over by its own answer.
    const wanted = detail.successful && detail.requestConfig.elt.dataset.copiesAfter;
    const button = wanted && document.querySelector(`[data-copies="${wanted}"]`);
    if (button) copy(button);
  });
}

async function copy(button) {
  const field = document.getElementById(button.dataset.copies);
  field.focus();
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    return; // no permission, or no https: it is selected, the keyboard copies
  }
  say(button);
}

/** An address of this console, whole, for a colleague. */
async function copyAddress(button) {
  await write(new URL(button.dataset.copiesText, location.href).href);
  say(button);
}

/** `button`, a `copier`, shows for a moment that it was done; screen readers hear it. */
export async function copyWords(words, button) {
  await write(words);
  button.classList.add("is-copied");
  announce(text("copied"));
  setTimeout(() => button.classList.remove("is-copied"), SHOWN_MS);
}

async function write(words) {
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    copyByHand(words);
  }
}

/** Without https there is no clipboard to write to but the old way. */
function copyByHand(words) {
  const field = Object.assign(document.createElement("textarea"), { value: words, readOnly: true });
  const before = document.activeElement;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  before?.focus({ preventScroll: true });
}

function say(button) {
  const words = button.textContent;
  if (words === button.dataset.copied) return;
  button.textContent = button.dataset.copied;
  setTimeout(() => {
    button.textContent = words;
  }, SHOWN_MS);
}
