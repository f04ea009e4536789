// The page's words, rendered by the server in the reader's language.
const table = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");

export function text(key, values = {}) {
  return (table[key] ?? "").replace(/\{(\w+)\}/g, (whole, name) => apart(values[name] ?? whole));
}

/** What reads from right to left moves no word of the sentence around it. */
function apart(value) {
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(value) ? `\u2068${value}\u2069` : value;
}

export function counted(key, count) {
  return text(`${key}_${count === 1 ? "one" : "other"}`, { count });
}

export function announce(words) {
  const region = document.getElementById("heard");
  if (region && words) region.textContent = words;
}
