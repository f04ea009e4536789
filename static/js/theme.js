// Runs in the head, before anything is drawn: the chosen theme, and the browser's time zone for
// the server's clock times. A classic script, so that the page never flashes.
(() => {
  try {
    const theme = localStorage.getItem("weilink-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch { /* storage is blocked: the system's theme it is */ }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const cookie = `weilink_zone=${zone}`;
  if (!document.cookie.split("; ").includes(cookie)) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${cookie}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }
})();
