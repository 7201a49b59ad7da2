// Several values, each of which can be taken out by itself. The text field below stays what the form sends; many values are edited there.
import { enhance } from "./values.js";
import { tell } from "./steps.js";

const MOST = 40; // values that are worth a chip each
const NAMES = { "profile:country": "region", "profile:locale": "language" }; // what is kept as a code, and has a name
const split = (text) => text.split(/[\n,;]/).map((each) => each.trim()).filter(Boolean);

function dress(field) {
  if (field.dataset.dressed || field.disabled || field.matches(":disabled") || split(field.value).length > MOST) return;
  field.dataset.dressed = "1";
  const holder = document.createElement("div");
  holder.className = "value-chips";
  const chips = document.createElement("ul");
  const input = document.createElement("input");
  input.className = "value-chips-input";
  input.autocomplete = "off";
  input.placeholder = "Add a value";
  input.setAttribute("aria-label", field.getAttribute("aria-label").replace(", one a line", ": add one"));
  input.dataset.of = field.name;
  if (field.dataset.values) input.dataset.values = field.dataset.values;
  for (const name of ["aria-invalid", "aria-describedby", "id"]) {
    if (!field.hasAttribute(name)) continue;
    input.setAttribute(name, field.getAttribute(name));
    field.removeAttribute(name);
  }
  const asText = document.createElement("button");
  asText.type = "button";
  asText.className = "link-button small";
  asText.textContent = "as text";
  asText.setAttribute("aria-label", `${input.getAttribute("aria-label").replace(": add one", "")}: edit as text`);
  holder.append(chips, input, asText);
  field.before(holder);
  field.hidden = true;

  const names = NAMES[field.dataset.values] && new Intl.DisplayNames(["en"], { type: NAMES[field.dataset.values], fallback: "none" });
  const named = (value) => {
    try {
      return names?.of(value) ?? "";
    } catch {
      return ""; // no code at all
    }
  };
  const values = () => split(field.value);
  const write = (next) => {
    field.value = next.join("\n");
    draw();
    field.dispatchEvent(new CustomEvent("input", { bubbles: true, detail: "chips" }));
  };
  const remove = (at) => {
    const all = values();
    tell(`${all[at]} is taken out.`);
    write(all.toSpliced(at, 1));
    (chips.querySelectorAll("button")[Math.min(at, all.length - 2)] ?? input).focus();
  };
  const commit = () => {
    const fresh = split(input.value).filter((each) => !values().includes(each));
    input.value = "";
    if (fresh.length) write([...values(), ...fresh]);
  };
  function draw() {
    chips.replaceChildren(...values().map((value, at) => {
      const chip = document.createElement("li");
      chip.className = "chip";
      chip.title = named(value);
      const words = document.createElement("span");
      words.className = "truncate";
      words.textContent = value;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "×";
      button.setAttribute("aria-label", `Take out ${value}`);
      button.addEventListener("click", () => remove(at));
      chip.append(words, button);
      return chip;
    }));
    chips.hidden = !values().length;
  }

  input.addEventListener("value-picked", () => queueMicrotask(commit));
  input.addEventListener("input", () => /[\n,;]/.test(input.value) && commit());
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (split(text).length < 2) return;
    event.preventDefault();
    input.value = text.replace(/\r?\n/g, ",");
    commit();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault();
      commit();
    } else if (event.key === "Backspace" && !input.value && values().length) {
      event.preventDefault();
      remove(values().length - 1);
      input.focus();
    }
  });
  input.addEventListener("blur", commit);
  input.addEventListener("commit", commit);
  asText.addEventListener("click", () => {
    commit();
    for (const name of ["aria-invalid", "aria-describedby", "id"]) if (input.hasAttribute(name)) field.setAttribute(name, input.getAttribute(name));
    holder.remove();
    field.hidden = false;
    field.focus();
  });
  field.addEventListener("input", (event) => event.detail !== "chips" && draw());
  field.addEventListener("put-back", draw);
  draw();
  enhance(holder);
}

// what is typed and not yet a value is one before the form goes anywhere
const commitAll = () => document.querySelectorAll(".value-chips-input").forEach((each) => each.value && each.dispatchEvent(new Event("commit")));
document.addEventListener("submit", commitAll, true);
document.addEventListener("click", (event) => event.target.closest?.("#editor button") && commitAll(), true);

const dressAll = () => document.querySelectorAll("#editor textarea[data-chips]").forEach(dress);
document.body.addEventListener("htmx:afterSwap", (event) => event.detail.elt.id === "editor" && dressAll());
dressAll();
