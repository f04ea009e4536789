// The token that every post of this page carries, in htmx's headers and in each form.

export function csrfToken() {
  return JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] ?? "";
}

export function setToken(token) {
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  const templates = [...document.querySelectorAll("template")].map((one) => one.content);
  for (const root of [document, ...templates]) {
    for (const field of root.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
  }
}
