// The focus survives a swap: when what held it was drawn over or taken away, the same control, or
// the nearest one in what still stands around it, gets it.
const CONTROLS = "a[href], button:not([disabled]), input:not([type=hidden]), textarea, select, summary, [tabindex]";

let chain = [];

export function startFocus() {
  document.addEventListener("htmx:beforeSwap", remember);
  document.addEventListener("console:drawing", remember);
  document.addEventListener("htmx:afterSwap", restore);
  document.addEventListener("htmx:afterSettle", restore);
  document.addEventListener("console:drawn", restore);
}

function remember() {
  if (document.activeElement === document.body) return;
  chain = [];
  for (let one = document.activeElement; one; one = one.parentElement) if (one.id) chain.push(one.id);
}

function restore() {
  if (document.activeElement !== document.body || document.querySelector("dialog[open]")) return;
  for (const id of chain) {
    const home = controlIn(document.getElementById(id));
    if (home) {
      home.focus({ preventScroll: true });
      return;
    }
  }
}

function controlIn(place) {
  if (!place) return null;
  const inside = [place, ...place.querySelectorAll(CONTROLS)];
  return inside.find((one) => one.matches(CONTROLS) && one.checkVisibility({ visibilityProperty: true }));
}
