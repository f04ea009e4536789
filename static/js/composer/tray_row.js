// One file's row in the tray: its name, its facts, its buttons, a small picture of it.
import { text } from "../page/texts.js";
import { isNote } from "./form.js";
import { tray } from "./tray_files.js";

const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;

/** Its row in the tray, as it stands now. */
export function rowOf(entry, place, list) {
  entry.row ??= newRow();
  const { row } = entry;
  if (!row.dataset.drawn) fillRow(row, entry);
  const find = (name) => row.querySelector(`[data-${name}]`);
  row.className = `tray-file is-${entry.state}`;
  find("facts").textContent = entry.problem || sizeWords(entry.size);
  find("facts").classList.toggle("bad", entry.state === "failed");
  find("progress").hidden = entry.state !== "coming";
  find("progress").value = entry.percent ?? 0;
  find("earlier").hidden = find("later").hidden = list.length < 2;
  find("earlier").disabled = place === 0;
  find("later").disabled = place === list.length - 1;
  find("again").hidden = entry.state !== "failed" || !entry.mayWork;
  // A browser draws no picture that ends too early; the console does.
  if (entry.thumb && !entry.hasThumb && row.querySelector("canvas")?.hidden) {
    entry.hasThumb = true;
    preview(row, { thumb: entry.thumb });
  }
  row.querySelector("input")?.remove();
  if (entry.state === "here") {
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "upload", value: entry.id });
    field.disabled = isNote();
    row.append(field);
  }
  return row;
}

function newRow() {
  return tray().querySelector("[data-tray-file]").content.querySelector("li").cloneNode(true);
}

function fillRow(row, entry) {
  row.dataset.drawn = "yes";
  entry.hasThumb = Boolean(entry.thumb);
  row.querySelector("[data-name]").textContent = entry.name;
  for (const act of ["earlier", "later", "remove"]) {
    row.querySelector(`[data-${act}]`).setAttribute("aria-label", text(`${act}_file`, { name: entry.name }));
  }
  row.querySelector("[data-again]").setAttribute("aria-label", text("retry_file", { name: entry.name }));
  row.querySelector("[data-progress]").setAttribute("aria-label", entry.name);
  if (!row.querySelector("img")) preview(row, entry);
}

/** Drawn from the file itself; where it is not in this page, from the console's small picture. */
async function preview(row, entry) {
  const canvas = row.querySelector("canvas");
  try {
    const source = entry.file?.type.startsWith("image/") ? entry.file : await small(entry.thumb);
    if (!source) return;
    const picture = await createImageBitmap(source);
    const side = Math.min(picture.width, picture.height);
    const x = (picture.width - side) / 2;
    const y = (picture.height - side) / 2;
    canvas.width = canvas.height = 80;
    canvas.getContext("2d").drawImage(picture, x, y, side, side, 0, 0, 80, 80);
    picture.close();
    canvas.hidden = false;
  } catch {
    // no picture after all: the icon stays
  }
}

async function small(address) {
  return address ? (await fetch(address)).blob() : null;
}

function sizeWords(size) {
  if (size < KILOBYTE) return `${size} B`;
  const inUnits = (unit) => (size / unit).toLocaleString("en", { maximumFractionDigits: 1 });
  return size < MEGABYTE ? `${inUnits(KILOBYTE)} KB` : `${inUnits(MEGABYTE)} MB`;
}
