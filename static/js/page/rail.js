// The rail stays where it was scrolled to, from page to page: its rows keep their places.
const KEY = "rail scrolled";

export function startRail() {
  const pane = document.querySelector(".rail-scroll");
  if (!pane) return;
  try {
    pane.scrollTop = Number(sessionStorage.getItem(KEY));
    pane.addEventListener("scroll", () => sessionStorage.setItem(KEY, pane.scrollTop), { passive: true });
  } catch {
    // storage is blocked: from its top, every time
  }
}
