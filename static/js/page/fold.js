// Folds text for comparing, as `sessions_app/text/folding.py` does: case, width and accents do not count.

/** "ＭＡＲÍＡ" → "maria". */
export function fold(text) {
  const plain = text.normalize("NFKC").toLocaleLowerCase("und").replaceAll("ß", "ss");
  const kept = plain.normalize("NFD").replace(/\p{M}|[\p{Cc}\p{Cf}](?<!\s)/gu, "");
  return kept.normalize("NFKC").trim().replace(/\s+/g, " ");
}
