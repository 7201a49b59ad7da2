// Toasts leave by themselves after 6 s unless they are errors, or are being read or pointed at.
const list = document.getElementById("toasts");

function plan(toast) {
  if (toast.dataset.level === "error" || toast.dataset.level === "warning") return;
  let timer = setTimeout(() => toast.remove(), 6000);
  for (const stay of ["pointerenter", "focusin"]) toast.addEventListener(stay, () => clearTimeout(timer));
  toast.addEventListener("pointerleave", () => (timer = setTimeout(() => toast.remove(), 3000)));
}

export function say(words, level = "info") {
  const toast = document.createElement("li");
  toast.className = "toast";
  toast.dataset.level = level;
  const text = document.createElement("p");
  text.textContent = words;
  toast.append(text);
  list?.append(toast);
  plan(toast);
}

for (const toast of document.querySelectorAll("[data-toast]")) plan(toast);
document.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest(".toast")?.remove());
document.body.addEventListener("toast", (event) => say(event.detail.words ?? event.detail.value, event.detail.level));
document.body.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  say(status === 403 ? "You may not do this any more. Reload the page." : `That didn’t work (${status}). Nothing was changed; try again.`, "error");
});
document.body.addEventListener("htmx:sendError", () => say("The server can’t be reached. Nothing was changed.", "warning"));
