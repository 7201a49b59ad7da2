// What somebody types while the server draws the form anew is theirs: it is put into the new form, where the field is still there.
const forms = new WeakMap(); // form → its fields when the request left
const fields = (form) => [...form.elements].filter((each) => each.name && each.matches("input:not([type=hidden]), select, textarea"));
const said = (field) => (field.matches("[type=checkbox], [type=radio]") ? String(field.checked) : field.value);
const known = (field) => JSON.stringify([field.name, field.matches("[type=checkbox], [type=radio]") ? field.value : ""]);

// a step that moves or removes numbered fields gives their names to others: nothing can be put back by name then
const keepsNames = (step) => step === "look" || step.startsWith("add:");

document.body.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.target;
  const step = String(event.detail.requestConfig.formData?.get("do") ?? event.detail.requestConfig.parameters?.do ?? "");
  if (!form.matches("form[data-document]")) return;
  if (keepsNames(step)) forms.set(form, new Map(fields(form).map((each) => [known(each), said(each)])));
  else forms.delete(form);
});

let typed = [];
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const before = forms.get(event.detail.target);
  typed = before ? fields(event.detail.target).filter((each) => before.has(known(each)) && before.get(known(each)) !== said(each)) : [];
  typed = typed.map((each) => ({ name: known(each), said: said(each), box: each.matches("[type=checkbox], [type=radio]") }));
});

document.body.addEventListener("htmx:afterSettle", () => {
  if (typed.length === 0) return;
  const form = document.querySelector("form[data-document]");
  const now = new Map(fields(form).map((each) => [known(each), each]));
  for (const each of typed) {
    const field = now.get(each.name);
    if (!field) continue;
    if (each.box) field.checked = each.said === "true";
    else field.value = each.said;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  typed = [];
});
