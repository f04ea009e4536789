// The composer's form, its field, and whether a reply or a note is written in it.

/** @returns {HTMLFormElement | null} */
export function form() {
  return document.querySelector("[data-composer]");
}

export function field(mine = form()) {
  return mine?.elements.text;
}

/** @returns {"reply" | "note"} */
export function kindOf(mine = form()) {
  return mine?.elements.kind?.value || "reply";
}

export function isNote() {
  return kindOf() === "note";
}
