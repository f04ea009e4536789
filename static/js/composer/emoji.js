// The emoji picker: fetched when it is opened first, its data from here, in the reader's language.
import { on } from "../events.js";
import { intent } from "../keyboard/focus.js";
import { field, form } from "./form.js";

let picker = null;

/** Opens the picker for the first time, and listens from then on. */
export function startEmoji(first) {
  toggle(first);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-emoji]");
    if (button) toggle(button);
    else if (picker?.isConnected && !event.composedPath().includes(picker)) close(false);
  });
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Escape" && picker?.isConnected) {
        event.stopPropagation();
        close(true);
      }
    },
    true,
  );
  on("opened", () => close(false));
}

async function toggle(button) {
  if (picker?.isConnected) {
    close(true);
    return;
  }
  const still = intent();
  picker ??= await make(button);
  if (!button.isConnected) return;
  form().append(picker);
  button.setAttribute("aria-expanded", "true");
  if (still()) picker.shadowRoot.querySelector("input")?.focus();
}

async function make(button) {
  const chinese = document.documentElement.lang.startsWith("zh");
  const { default: Picker } = await import(button.dataset.emojiModule);
  const words = chinese ? (await import(button.dataset.emojiWords)).default : undefined;
  const options = { dataSource: button.dataset.emojiData, locale: chinese ? "zh" : "en" };
  const made = new Picker(words ? { ...options, i18n: words } : options);
  made.className = "emoji-picker";
  made.addEventListener("emoji-click", ({ detail }) => insert(detail.unicode));
  return made;
}

function insert(character) {
  const area = field();
  if (!area || !character) return;
  area.setRangeText(character, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

function close(back) {
  if (!picker?.isConnected) return;
  picker.remove();
  document.querySelector("[data-emoji]")?.setAttribute("aria-expanded", "false");
  if (back) field()?.focus({ preventScroll: true });
}
