// What somebody types while the server draws the form anew is theirs: it is put into the new form, where the field is still there.
// And a step that they ask for meanwhile is taken next: sent at once, it would be answered from a form without the first one's outcome.
const forms = new WeakMap(); // form → its fields when the request left
const fields = (form) => [...form.elements].filter((each) => each.name && each.matches("input:not([type=hidden]), select, textarea"));
const isBox = (field) => field.matches("[type=checkbox], [type=radio]");
const said = (field) => (isBox(field) ? String(field.checked) : field.value);
const known = (field) => JSON.stringify([field.name, isBox(field) ? field.value : ""]);

// a step that moves or removes numbered fields gives their names to others: nothing can be put back by name then
const keepsNames = (step) => step === "look" || step.startsWith("add:");

let underWay = null; // the step that the server is taking
let next = null; // what asked for another one meanwhile; only the last of several, and none where it may mean another field by then

document.body.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.target;
  if (!form.matches("form[data-document]")) return;
  if (underWay !== null) {
    event.preventDefault();
    next = keepsNames(underWay) ? event.detail.elt : null;
    return;
  }
  underWay = event.detail.requestConfig.formData.get("do") ?? "";
  if (keepsNames(event.detail.requestConfig.formData.get("do") ?? "")) forms.set(form, new Map(fields(form).map((each) => [known(each), said(each)])));
  else forms.delete(form);
});

document.body.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.target.matches("form[data-document]")) return;
  underWay = null;
  if (!event.detail.successful) next = null;
});

let typed = [];
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const before = forms.get(event.detail.target);
  typed = before ? fields(event.detail.target).filter((each) => before.has(known(each)) && before.get(known(each)) !== said(each)) : [];
  typed = typed.map((each) => [known(each), said(each)]);
});

document.body.addEventListener("htmx:afterSettle", () => {
  const form = document.querySelector("form[data-document]");
  if (form) putBack(form);
  if (form && next && underWay === null) takeNext(form);
});

const putBack = (form) => {
  if (typed.length === 0) return;
  const now = new Map(fields(form).map((each) => [known(each), each]));
  for (const [name, value] of typed) {
    const field = now.get(name);
    if (!field) continue;
    if (isBox(field)) field.checked = value === "true";
    else field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  typed = [];
};

const takeNext = (form) => {
  const same = [...form.elements].find((each) => each.name === next.name && (each.value === next.value || each.matches("select")));
  const isButton = next.matches("button");
  next = null;
  if (isButton) same?.click();
  else same?.dispatchEvent(new Event("change", { bubbles: true }));
};
