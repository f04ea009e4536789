// Characters that nobody sees, made visible, as sessions_app/text/unseen.py does.
const ARABIC = "\\u0620-\\u07ff\\u0840-\\u08ff";
const JOINING =
  ARABIC +
  "\\u0900-\\u0dff\\u1000-\\u109f\\u1780-\\u17ff\\u1820-\\u18aa\\u1a20-\\u1aaf\\u1b00-\\u1c4f" +
  "\\ua800-\\ua8ff\\ua980-\\ua9ff\\uaa60-\\uaa7f\\uabc0-\\uabff" +
  "\\u{10d00}-\\u{10d3f}\\u{11000}-\\u{11fff}\\u{1e900}-\\u{1e95f}";
const EMOJI =
  "\\xa9\\xae\\u203c\\u2049\\u2122\\u2139\\u2190-\\u21ff\\u2300-\\u23ff\\u24c2\\u25a0-\\u27bf\\u2934\\u2935" +
  "\\u2b00-\\u2bff\\u3030\\u303d\\u3297\\u3299\\u{1f000}-\\u{1faff}";
const KEPT =
  `(?<=[${JOINING}])[\\u200c\\u200d](?![\\u200c\\u200d])` +
  `|(?<=[0-9A-Za-z])\\u200c(?=[${ARABIC}])` +
  `|(?<=[${EMOJI}]\\ufe0f?)\\u200d(?=[${EMOJI}])` +
  `|(?<=[${EMOJI}])[\\ufe0e\\ufe0f]` +
  "|(?<=[0-9#*])\\ufe0f(?=\\u20e3)" +
  "|\\u{1f3f4}\\u{e0067}\\u{e0062}(?:\\u{e0065}\\u{e006e}\\u{e0067}" +
  "|\\u{e0073}\\u{e0063}\\u{e0074}|\\u{e0077}\\u{e006c}\\u{e0073})\\u{e007f}" +
  "|(?<=[\\u3400-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}])[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]" +
  "|(?<=[\\u1820-\\u18aa])[\\u180b-\\u180d\\u180f]";
const UNSEEN =
  "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f" +
  "\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u2d7f\\u3164\\ud800-\\udfff\\ufdd0-\\ufdef\\ufe00-\\ufe0f\\ufeff" +
  "\\uffa0\\ufff0-\\ufffc\\ufffe\\uffff\\u{1107f}\\u{13430}-\\u{13455}\\u{16fe4}" +
  "\\u{1bca0}-\\u{1bca3}\\u{1d159}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}]";
const SIGN = new RegExp(`(${KEPT})|${UNSEEN}`, "gu");

/**
 * A name in which every sign is seen: “[U+202E]” for one that turns the rest around. `stays`: signs
 * that are left, of a text the lines and what the server would leave.
 */
export function visible(name, stays = "") {
  return name.replace(SIGN, (sign, kept) => {
    if (kept || stays.includes(sign)) return sign;
    const code = sign.codePointAt(0);
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return code === 0x7f ? "\u2421" : `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
  });
}
