// Voices and videos of the conversation: one plays at a time, whatever is drawn around it.
import { on } from "../events.js";

export function startMedia() {
  document.addEventListener("click", picturePressed);
  document.addEventListener("click", toggled);
  document.addEventListener("input", sought);
  for (const kind of ["play", "pause", "ended", "timeupdate", "loadedmetadata"]) {
    document.addEventListener(kind, heard, true); // media events do not bubble
  }
  document.addEventListener("error", ({ target }) => judge(target.closest?.("[data-video]")), true);
  on("drawn", redraw);
  on("settled", judgeAll);
  judgeAll();
}

function toggled(event) {
  const voice = event.target.closest?.("[data-play]")?.closest("[data-voice]");
  if (!voice) return;
  const audio = voice.querySelector("audio");
  if (!audio.paused) audio.pause();
  else audio.play().catch(() => {}); // what cannot be played says so by its error event
}

function sought(event) {
  const slider = event.target.closest?.("[data-seek]");
  if (!slider) return;
  const audio = slider.closest("[data-voice]").querySelector("audio");
  slider.dataset.wanted = slider.value;
  if (Number.isFinite(audio.duration)) seek(audio, slider);
  else audio.load(); // nothing was loaded yet: the place is taken when the length is known
}

function seek(audio, slider) {
  audio.currentTime = (Number(slider.value) / 1000) * audio.duration;
  delete slider.dataset.wanted;
}

function heard(event) {
  const media = event.target;
  if (!(media instanceof HTMLMediaElement)) return;
  if (event.type === "play") quietOthers(media);
  if (event.type === "loadedmetadata") judge(media.closest("[data-video]"));
  const voice = media.closest("[data-voice]");
  if (!voice) return;
  if (event.type === "ended") media.currentTime = 0;
  const slider = voice.querySelector("[data-seek]");
  if (event.type === "loadedmetadata" && slider.dataset.wanted) seek(media, slider);
  show(voice);
}

function quietOthers(media) {
  for (const other of document.querySelectorAll("audio,video")) {
    if (other !== media && !other.paused) other.pause();
  }
}

function show(voice) {
  const audio = voice.querySelector("audio");
  const button = voice.querySelector("[data-play]");
  const slider = voice.querySelector("[data-seek]");
  const length = voice.querySelector("[data-length]");
  const known = Number.isFinite(audio.duration) && audio.duration > 0;
  voice.classList.toggle("is-playing", !audio.paused);
  button.setAttribute("aria-label", audio.paused ? button.dataset.plays : button.dataset.pauses);
  if (!known) return;
  slider.value = Math.round((audio.currentTime / audio.duration) * 1000);
  voice.style.setProperty("--played", `${(audio.currentTime / audio.duration) * 100}%`);
  length.textContent = clock(audio.currentTime > 0 ? audio.currentTime : audio.duration);
  slider.setAttribute("aria-valuetext", `${clock(audio.currentTime)} / ${clock(audio.duration)}`);
}

/** A bubble that was drawn anew forgot what only the page knows. */
function redraw() {
  for (const voice of document.querySelectorAll("[data-voice]")) {
    if (voice.querySelector("audio").currentTime > 0) show(voice);
  }
  judgeAll();
}

function judgeAll() {
  for (const box of document.querySelectorAll("[data-video]")) judge(box);
}

/**
 * A video that this browser cannot show, or of which it has the sound alone, says so. Of a kind that
 * it does not know (it may play it all the same) it is asked at once, not when somebody presses play.
 */
function judge(box) {
  const video = box?.querySelector("video");
  if (!video) return;
  if (box.dataset.type && !video.canPlayType(box.dataset.type)) video.preload = "metadata";
  const soundAlone = video.readyState >= HTMLMediaElement.HAVE_METADATA && !video.videoWidth;
  const isBroken = Boolean(video.error) || video.networkState === HTMLMediaElement.NETWORK_NO_SOURCE || soundAlone;
  box.classList.toggle("is-broken", isBroken);
  box.querySelector("[data-when-broken]").hidden = !isBroken;
}

function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** The module for large pictures comes with the first one that is opened. */
async function picturePressed(event) {
  const wanted = event.target.closest?.("[data-picture]");
  if (!wanted || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (!document.getElementById("lightbox")) return;
  event.preventDefault();
  try {
    (await import("./lightbox.js")).openPicture(wanted);
  } catch {
    location.assign(wanted.href);
  }
}
