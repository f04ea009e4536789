// The sound of a new message: at the reader's volume, once however many tabs are open.
import { claim } from "./claims.js";

const KEY = "weilink-muted";
const QUIET_MS = 1_500;

let audio = null;

export function startSound() {
  for (const button of document.querySelectorAll("[data-sound]")) bindMute(button);
  for (const button of document.querySelectorAll("[data-tries-sound]")) bindTry(button);
  for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, unlock, { once: true, passive: true });
  }
}

/** Browsers let a page sound only after its reader did something. */
function unlock() {
  audio ??= new AudioContext();
}

/** Sound for this message, unless another tab did. A tab that cannot sound leaves it to others. */
export async function play(id) {
  if (isMuted() || !audio || volume() === 0) return;
  if (await claim("sound", id, QUIET_MS)) ring(volume());
}

function volume() {
  return Number(document.body.dataset.tellsVolume) / 100;
}

function isMuted() {
  try {
    return localStorage.getItem(KEY) === "1";
  } catch {
    return false;
  }
}

function bindMute(button) {
  const show = () => button.setAttribute("aria-pressed", isMuted());
  show();
  window.addEventListener("storage", show);
  button.addEventListener("click", () => {
    try {
      localStorage.setItem(KEY, isMuted() ? "0" : "1");
    } catch {
      // storage is blocked: it stays as it is
    }
    show();
    if (!isMuted()) ring(volume());
  });
}

/** On the account page: as loud as the slider stands. */
function bindTry(button) {
  const slider = button.parentElement.querySelector("input");
  button.addEventListener("click", () => ring(Number(slider.value) / 100));
}

function ring(loudness) {
  unlock();
  if (audio.state === "suspended") audio.resume();
  tone(660, 0, loudness);
  tone(880, 0.11, loudness);
}

function tone(hertz, after, loudness) {
  if (loudness <= 0) return;
  const begin = audio.currentTime + after;
  const oscillator = new OscillatorNode(audio, { frequency: hertz, type: "sine" });
  const gain = new GainNode(audio, { gain: 0 });
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(0.2 * loudness, begin + 0.015);
  gain.gain.exponentialRampToValueAtTime(0.0005, begin + 0.28);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(begin);
  oscillator.stop(begin + 0.3);
}
