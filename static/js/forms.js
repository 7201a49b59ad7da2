// Forms lose nothing: a first error is focused, unsaved work is kept in this browser and asked about before leaving.
const summary = document.querySelector("[data-error-summary]");
if (summary) summary.focus();
document.body.addEventListener("htmx:afterSwap", (event) => event.target.querySelector?.("[data-error-summary], [aria-invalid=true]")?.focus());

// a button sends once
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented || event.submitter?.formTarget) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 3000);
});

// a select or checkbox that filters a list applies at once
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-apply]");
  if (form && !event.target.matches("input[type=search], input[type=text]")) form.requestSubmit();
});

const time = () => new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" }).format(new Date());

// fields called look_… say how the preview looks at the document; base and note say what is saved on top of what, and why: none is part of it
const authored = ([name, value]) => typeof value === "string" && !["csrfmiddlewaretoken", "base", "note"].includes(name) && !name.startsWith("look_");
export const serialise = (form) => JSON.stringify([...new FormData(form)].filter(authored));

// below a field in which keys are typed stands what the key is called
document.addEventListener("input", (event) => {
  const means = event.target.list && document.getElementById(`${event.target.id}-means`);
  if (!means) return;
  const known = [...event.target.list.options].find((each) => each.value === event.target.value);
  means.textContent = known && known.label !== known.value ? known.label : "";
});

// documents: unsaved work is kept in this browser until a save has succeeded, and asked about before leaving
const clean = new Map(); // document → its fields as last saved
let leaving = false;

const keyOf = (form) => `omni:${form.dataset.document}`;
const current = () => document.querySelector("form[data-document]");

function tell(form, words) {
  const status = form.querySelector("[data-saved]");
  if (status) status.textContent = words;
}

function keep(form) {
  const now = serialise(form);
  if (now === clean.get(keyOf(form))) {
    localStorage.removeItem(keyOf(form));
    tell(form, "");
    return;
  }
  localStorage.setItem(keyOf(form), JSON.stringify({ at: time(), base: form.dataset.base, fields: now }));
  tell(form, `Not saved; kept in this browser ${time()}`);
}

let timer;
function changed() {
  const form = current();
  if (!form) return;
  tell(form, serialise(form) === clean.get(keyOf(form)) ? "" : "Not saved yet");
  clearTimeout(timer);
  timer = setTimeout(() => keep(current() ?? form), 700);
}

// only the server knows whether another view of a document (its next language, its source) still says what was saved
document.body.addEventListener("htmx:afterSwap", (event) => {
  const form = current();
  if (form && event.detail.target.matches("form[data-document]") && !form.dataset.dirty) clean.set(keyOf(form), serialise(form));
});
document.addEventListener("input", (event) => { if (event.target.form?.dataset.document) changed(); });
document.body.addEventListener("document-changed", changed);
document.addEventListener("submit", (event) => {
  if (event.submitter?.formTarget) return;
  const form = event.target;
  if (!form.dataset.document && !form.closest("[data-kept]")) return;
  leaving = true;
  clearTimeout(timer);
  if (!form.dataset.document) return;
  keep(form);
  sessionStorage.setItem("omni:sent", keyOf(form));
});
addEventListener("pageshow", () => { leaving = false; });
addEventListener("beforeunload", (event) => {
  const form = current();
  if (form && !leaving && clean.has(keyOf(form)) && serialise(form) !== clean.get(keyOf(form))) event.preventDefault();
});
document.body.addEventListener("htmx:beforeSwap", (event) => { if (event.detail.xhr.getResponseHeader("HX-Redirect")) leaving = true; });

const forget = () => localStorage.removeItem(sessionStorage.getItem("omni:sent"));
if (document.querySelector("[data-toast~=saved]")) forget();
document.querySelector("[data-drop-mine]")?.addEventListener("click", forget);

const opened = current();
if (opened?.dataset.dirty) {
  clean.set(keyOf(opened), "");
  keep(opened);
} else if (opened) {
  clean.set(keyOf(opened), serialise(opened));
  const kept = JSON.parse(localStorage.getItem(keyOf(opened)) ?? "null");
  const offer = document.querySelector("[data-kept]");
  if (kept && offer && kept.fields !== serialise(opened)) {
    offer.hidden = false;
    offer.querySelector("[data-kept-at]").textContent = kept.at;
    offer.querySelector("[data-kept-restore]").addEventListener("click", () => {
      const fields = offer.querySelector("[data-kept-fields]");
      fields.value = kept.fields;
      fields.form.elements.base.value = kept.base; // work that somebody overtook meanwhile is compared with theirs when it is saved
      leaving = true;
      fields.form.submit();
    });
    offer.querySelector("[data-kept-discard]").addEventListener("click", () => {
      localStorage.removeItem(keyOf(opened));
      offer.hidden = true;
    });
  }
}

// after a step the server says where the focus belongs
document.body.addEventListener("focus-on", (event) => {
  const target = document.getElementById(event.detail.id);
  if (!target) return;
  const inside = target.matches("input, select, textarea, button, [tabindex]") ? target : target.querySelector("input, select, textarea, button");
  (inside ?? target).focus({ focusVisible: true });
  target.scrollIntoView({ block: "nearest" });
});
