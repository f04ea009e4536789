// The page's line to the simulator: control calls, texts, small helpers for building elements.
// It must never put text into the page as HTML.

export const texts = JSON.parse(document.body.dataset.texts);
export const onlyCode = document.body.dataset.code;

/** The text for a key, with {name} and the like filled in. */
export function say(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export function one(selector, inside = document) {
  return inside.querySelector(selector);
}

/** A copy of a <template>'s first element. */
export function copy(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) Object.assign(made, { dir: "auto", textContent: text });
  return made;
}

export function button(label, className, onClick) {
  const made = element("button", className, label);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

export async function read(name, query = {}) {
  const search = new URLSearchParams(query);
  const answer = await fetch(`control/${name}?${search}`, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer.json();
}

/** A control call; what it refuses is shown where the page shows trouble. */
export async function call(verb, values = {}) {
  const answer = await fetch(`control/${verb}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(values),
  });
  if (!answer.ok) {
    const { error } = await answer.json();
    complain(error);
    throw new Error(error);
  }
  calm();
  return answer.json();
}

export function complain(sentence) {
  const notice = one("[data-failed]");
  notice.textContent = sentence ?? texts.failed;
  notice.hidden = false;
}

export function calm() {
  one("[data-failed]").hidden = true;
}

export function clockTime(ms) {
  return new Date(ms).toLocaleTimeString(document.documentElement.lang, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

export function minutes(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** One of eight colours, always the same for an id. */
export function hue(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)) % 1009;
  return `hue-${sum % 8}`;
}

export function face(where, id, name) {
  where.className = `face ${hue(id)}`;
  where.textContent = [...name][0] ?? "?";
}
