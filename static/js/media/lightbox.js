// Pictures of the conversation, large: one dialog, arrow keys between pictures, zoom by keys, wheel and
// double click, drag to look around. Without JavaScript the link opens the picture itself.
const STEPS = [1, 1.5, 2, 3, 4, 6, 8];

let dialog = null;
let link = null;
let zoom = 1;
let at = { x: 0, y: 0 };
let grip = null;

/** Shows a picture of the conversation. Bound to its dialog when the first one is opened. */
export function openPicture(wanted) {
  if (!dialog) bind();
  show(wanted);
  dialog.showModal();
  part("stage").focus();
}

function bind() {
  dialog = document.getElementById("lightbox");
  dialog.addEventListener("click", pressedButton);
  dialog.addEventListener("keydown", pressedKey);
  dialog.addEventListener("close", closed);
  const stage = part("stage");
  stage.addEventListener("wheel", wheeled, { passive: false });
  stage.addEventListener("dblclick", () => setZoom(zoom > 1 ? 1 : 2));
  stage.addEventListener("pointerdown", gripped);
  stage.addEventListener("pointermove", dragged);
  for (const kind of ["pointerup", "pointercancel"])
    stage.addEventListener(kind, () => {
      grip = null;
    });
  part("picture").addEventListener("error", broke);
  part("picture").addEventListener("load", () => {
    part("problem").hidden = true;
  });
}

function part(name) {
  return dialog.querySelector(`[data-lightbox-${name}]`);
}

function pictures() {
  return [...document.querySelectorAll("#open-conversation [data-picture]")];
}

function show(wanted) {
  link = wanted;
  const all = pictures();
  const place = all.indexOf(link);
  dialog.querySelector("#lightbox-name").textContent = link.dataset.name;
  part("count").textContent = all.length > 1 ? `${place + 1} / ${all.length}` : "";
  part("picture").src = link.href;
  part("picture").alt = link.dataset.name;
  part("download").href = `${link.href}?download`;
  part("problem").hidden = true;
  for (const button of dialog.querySelectorAll("[data-step]")) {
    button.hidden = all.length < 2;
    button.disabled = !all[place + Number(button.dataset.step)];
  }
  setZoom(1);
}

/** Browsers refuse some pictures that end too early; the small one made here shows what there is. */
function broke() {
  const picture = part("picture");
  const small = link?.dataset.small;
  if (small && picture.getAttribute("src") !== small) picture.src = small;
  else part("problem").hidden = !picture.getAttribute("src");
}

function step(by) {
  const all = pictures();
  const next = all[all.indexOf(link) + by];
  if (next) show(next);
}

function pressedButton(event) {
  const button = event.target.closest("button");
  if (button?.dataset.zoom) zoomBy(button.dataset.zoom === "in" ? 1 : -1);
  else if (button?.dataset.step) step(Number(button.dataset.step));
  else if (button && "lightboxClose" in button.dataset) dialog.close();
  else if (event.target === part("stage") && zoom === 1 && !moved(event)) dialog.close();
}

function pressedKey(event) {
  const acts = {
    ArrowLeft: () => (zoom > 1 ? move(60, 0) : step(-1)),
    ArrowRight: () => (zoom > 1 ? move(-60, 0) : step(1)),
    ArrowUp: () => move(0, 60),
    ArrowDown: () => move(0, -60),
    PageUp: () => step(-1),
    PageDown: () => step(1),
    "+": () => zoomBy(1),
    "=": () => zoomBy(1),
    "-": () => zoomBy(-1),
    0: () => setZoom(1),
    d: () => part("download").click(),
  };
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in acts)) return;
  event.preventDefault();
  acts[event.key]();
}

function closed() {
  part("picture").removeAttribute("src");
  if (link?.isConnected) link.focus({ preventScroll: true });
  link = null;
}

function zoomBy(direction) {
  const beyond = direction > 0 ? STEPS.find((one) => one > zoom) : STEPS.findLast((one) => one < zoom);
  setZoom(beyond ?? zoom);
}

function setZoom(wanted) {
  zoom = wanted;
  if (zoom === 1) at = { x: 0, y: 0 };
  part("zoom").textContent = `${Math.round(zoom * 100)} %`;
  dialog.classList.toggle("is-zoomed", zoom > 1);
  draw();
}

function move(x, y) {
  if (zoom === 1) return;
  at = { x: at.x + x, y: at.y + y };
  draw();
}

/** What is zoomed can be dragged until its edge reaches the middle, no further. */
function draw() {
  const picture = part("picture");
  const most = { x: (picture.clientWidth * zoom) / 2, y: (picture.clientHeight * zoom) / 2 };
  at.x = Math.max(-most.x, Math.min(most.x, at.x));
  at.y = Math.max(-most.y, Math.min(most.y, at.y));
  picture.style.transform = `translate(${at.x}px, ${at.y}px) scale(${zoom})`;
}

function wheeled(event) {
  event.preventDefault();
  zoomBy(event.deltaY < 0 ? 1 : -1);
}

function gripped(event) {
  grip = { x: event.clientX - at.x, y: event.clientY - at.y, fromX: event.clientX, fromY: event.clientY };
  event.currentTarget.setPointerCapture(event.pointerId);
}

function dragged(event) {
  if (!grip || zoom === 1) return;
  at = { x: event.clientX - grip.x, y: event.clientY - grip.y };
  draw();
}

function moved(event) {
  return grip && Math.hypot(event.clientX - grip.fromX, event.clientY - grip.fromY) > 4;
}
