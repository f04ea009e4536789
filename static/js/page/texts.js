// The page's words, rendered by the server in the reader's language.
const table = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
const plurals = new Intl.PluralRules(document.documentElement.lang || undefined);

export function text(key, values = {}) {
  return (table[key] ?? "").replace(/\{(\w+)\}/g, (whole, name) => apart(values[name] ?? whole));
}

/** What reads from right to left moves no word of the sentence around it. */
function apart(value) {
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(value) ? `\u2068${value}\u2069` : value;
}

/** The sentence for this count: the server gave one per plural category of the language that has its own. */
export function counted(key, count) {
  const own = `${key}_${plurals.select(count)}`;
  return text(own in table ? own : `${key}_other`, { count });
}

export function announce(words) {
  const region = document.getElementById("heard");
  if (region && words) region.textContent = words;
}
