// Banners under the page's head: said once to screen readers when they come, put away by hand
// until what they say changes.
import { on } from "../events.js";
import { announce } from "./texts.js";

const KEY = "weilink-banners-hidden";
const MOST = 50;

const said = new Set();

export function startBanners() {
  document.addEventListener("click", ({ target }) => {
    const banner = target.closest("[data-hides-banner]")?.closest("[data-banner]");
    if (banner) putAway(banner);
  });
  on("drawn", show);
  for (const banner of banners()) said.add(banner.dataset.banner);
  show();
}

function banners() {
  return document.querySelectorAll("[data-banner]");
}

function show() {
  const away = hidden();
  for (const banner of banners()) {
    const { banner: key } = banner.dataset;
    banner.hidden = away.includes(key);
    if (banner.hidden || said.has(key)) continue;
    said.add(key);
    announce(banner.querySelector("p, span").textContent.trim());
  }
}

function putAway(banner) {
  const next = banner.nextElementSibling ?? banner.previousElementSibling;
  try {
    localStorage.setItem(KEY, JSON.stringify([banner.dataset.banner, ...hidden()].slice(0, MOST)));
  } catch {
    // storage is blocked: hidden until the next page
  }
  banner.hidden = true;
  const home = next?.querySelector("[data-hides-banner]") ?? document.getElementById("main");
  if (!home.matches("button")) home.tabIndex = -1;
  home.focus({ preventScroll: true });
}

function hidden() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}
