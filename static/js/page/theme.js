// Runs in the head, before anything is drawn: the chosen theme, and the browser's time zone for
// the server's clock times. A classic script, so that the page never flashes.
(() => {
  const root = document.documentElement;
  const chosen = root.dataset.chosenTheme;
  let theme = chosen;
  try {
    // What a signed-in person chose is kept here for the pages before the login.
    if (chosen) localStorage.setItem("weilink-theme", chosen);
    else theme = localStorage.getItem("weilink-theme");
  } catch {
    // storage is blocked: the person's choice, or the system's theme
  }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const cookie = `weilink_zone=${zone}`;
  if (!document.cookie.split("; ").includes(cookie)) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    // biome-ignore lint/suspicious/noDocumentCookie: a CookieStore lacks without https, and comes too late.
    document.cookie = `${cookie}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }
})();
