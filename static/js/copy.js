// Copies an address to the clipboard; where the browser refuses, selects it for the person.
const SHOWN_MS = 2_000;

export function startCopying() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copies]");
    if (button) copy(button);
    const link = event.target.closest("[data-copies-text]");
    if (link) copyAddress(link);
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
  const address = new URL(button.dataset.copiesText, location.href).href;
  try {
    await navigator.clipboard.writeText(address);
  } catch {
    copyByHand(address);
  }
  say(button);
}

/** Without https there is no clipboard to write to but the old way. */
function copyByHand(words) {
  const field = Object.assign(document.createElement("textarea"), { value: words, readOnly: true });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

function say(button) {
  const words = button.textContent;
  if (words === button.dataset.copied) return;
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = words; }, SHOWN_MS);
}
