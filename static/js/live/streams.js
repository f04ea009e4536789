// The numbers this page has applied, and those it has heard of. Only what is drawn moves "applied".
const applied = parse(document.body.dataset.streams);
const heard = { ...applied };

export function parse(words = "") {
  const numbers = {};
  for (const part of words.split(",")) {
    const at = part.lastIndexOf(":");
    if (at > 0) numbers[part.slice(0, at)] = Number(part.slice(at + 1));
  }
  return numbers;
}

export function since() {
  return Object.entries(applied)
    .map(([key, number]) => `${key}:${number}`)
    .join(",");
}

/** A frame's numbers. Returns whether the page is behind. */
export function hear(numbers) {
  for (const [key, number] of Object.entries(numbers)) {
    if (key in applied && number > (heard[key] ?? 0)) heard[key] = number;
  }
  return behind();
}

/** Whether the page has all that came up to these numbers. */
export function follows(numbers) {
  return Object.entries(numbers).every(([key, number]) => applied[key] >= number);
}

/** Drawn at earlier numbers than the page has by now. */
export function isEarlier(numbers) {
  return Object.entries(numbers).some(([key, number]) => number < applied[key]);
}

export function behind() {
  return Object.keys(applied).some((key) => (heard[key] ?? 0) > applied[key]);
}

/** The server restarted from a backup: its numbers are lower than ours. */
export function turnedBack(numbers) {
  return Object.entries(numbers).some(([key, number]) => key in applied && number < applied[key]);
}

/** What changed since our numbers has been drawn up to these. */
export function advance(numbers) {
  for (const [key, number] of Object.entries(numbers)) {
    applied[key] = Math.max(number, applied[key] ?? 0);
    heard[key] = Math.max(number, heard[key] ?? 0);
  }
}

/** A part of the page was drawn at these numbers: what came later must be asked for again. */
export function rewind(numbers) {
  for (const [key, number] of Object.entries(numbers)) {
    if (key in applied) applied[key] = Math.min(number, applied[key]);
  }
}
