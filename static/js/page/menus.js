// Menus close on Escape, on a click elsewhere and after a choice; the theme follows its switch.
const KEY = "weilink-theme";

export function startMenus() {
  document.addEventListener("click", closeOthers);
  document.addEventListener("keydown", closeOnEscape);
  for (const group of document.querySelectorAll("[data-theme-switch]")) bindTheme(group);
  document.addEventListener("click", toggleContext);
}

function openMenus() {
  return document.querySelectorAll("details[data-menu][open]");
}

function closeOthers(event) {
  for (const menu of openMenus()) {
    const inside = menu.contains(event.target);
    const chosen = inside && event.target.closest(".menu-item");
    if (!inside || chosen) menu.open = false;
  }
}

function closeOnEscape(event) {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
}

function bindTheme(group) {
  const buttons = [...group.querySelectorAll("button")];
  const show = (theme) => {
    for (const button of buttons) button.setAttribute("aria-pressed", button.value === theme);
  };
  show(document.documentElement.dataset.theme ?? "system");
  group.addEventListener("click", (event) => {
    const theme = event.target.closest("button")?.value;
    if (!theme) return;
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // storage is blocked: for this page only
    }
    show(theme);
    htmx.ajax("POST", group.dataset.themeSwitch, { values: { theme }, swap: "none", source: group });
  });
}

function toggleContext(event) {
  const button = event.target.closest("[data-toggles-context]");
  if (!button) return;
  const shown = document.getElementById("conversation-pane").classList.toggle("shows-context");
  button.setAttribute("aria-expanded", shown);
}
