// The page's words, rendered by the server in the reader's language.
const table = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");

export function text(key, values = {}) {
  return (table[key] ?? "").replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function counted(key, count) {
  return text(`${key}_${count === 1 ? "one" : "other"}`, { count });
}

export function announce(words) {
  const region = document.getElementById("heard");
  if (region && words) region.textContent = words;
}
