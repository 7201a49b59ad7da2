// Forms lose nothing: a first error is focused, unsaved work is kept in this browser and asked about before leaving.
const summary = document.querySelector("[data-error-summary]");
if (summary) summary.focus();
document.body.addEventListener("htmx:afterSwap", (event) => event.target.querySelector?.("[data-error-summary], [aria-invalid=true]")?.focus());

// a button sends once
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 3000);
});

// a select or checkbox that filters a list applies at once
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-apply]");
  if (form && !event.target.matches("input[type=search], input[type=text]")) form.requestSubmit();
});

const time = () => new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }).format(new Date());

export function serialise(form) {
  return JSON.stringify([...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken"));
}

for (const form of document.querySelectorAll("form[data-document]")) {
  const key = `omni:${form.dataset.document}`;
  const status = form.querySelector("[data-saved]");
  let clean = serialise(form);
  let sending = false;
  let timer;
  if (form.dataset.dirty) clean = "";

  const tell = (words) => { if (status) status.textContent = words; };
  const keep = () => {
    const now = serialise(form);
    if (now === clean) {
      localStorage.removeItem(key);
      tell("");
      return;
    }
    localStorage.setItem(key, JSON.stringify({ at: time(), base: form.dataset.base, source: form.dispatchEvent(new CustomEvent("document:keep")) && now }));
    tell(`Unsaved, kept in this browser ${time()}`);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, 700);
    tell("Unsaved changes");
  });
  form.addEventListener("document:changed", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, 700);
    tell("Unsaved changes");
  });
  form.addEventListener("submit", () => {
    sending = true;
    localStorage.removeItem(key);
  });
  addEventListener("beforeunload", (event) => {
    if (!sending && serialise(form) !== clean) event.preventDefault();
  });
  addEventListener("document:clean", () => { clean = serialise(form); });

  const kept = JSON.parse(localStorage.getItem(key) ?? "null");
  const offer = document.querySelector("[data-kept]");
  if (kept && offer && kept.base === form.dataset.base && kept.source !== clean) {
    offer.hidden = false;
    offer.querySelector("[data-kept-at]").textContent = kept.at;
    offer.querySelector("[data-kept-restore]").addEventListener("click", () => {
      const fields = offer.querySelector("[data-kept-fields]");
      fields.value = kept.source;
      fields.form.submit();
    });
    offer.querySelector("[data-kept-discard]").addEventListener("click", () => {
      localStorage.removeItem(key);
      offer.hidden = true;
    });
  }
}
