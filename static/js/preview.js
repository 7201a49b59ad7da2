// The live preview: the editor's own fields, posted into the frame a moment after the last change; width and colours of the frame.
const stage = document.querySelector("[data-preview]");

function press(button) {
  for (const other of button.parentElement.children) other.setAttribute("aria-pressed", String(other === button));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-frame-width], [data-frame-scheme]");
  if (!button) return;
  press(button);
  for (const frame of document.querySelectorAll(".frame-stage iframe")) {
    if (button.dataset.frameWidth) frame.dataset.width = button.dataset.frameWidth;
    if (button.dataset.frameScheme) frame.dataset.scheme = button.dataset.frameScheme;
  }
  const scheme = document.getElementById("look-scheme");
  if (scheme && button.dataset.frameScheme) {
    scheme.value = button.dataset.frameScheme;
    document.querySelector("[data-look-button]")?.click();
  }
});

document.addEventListener("input", (event) => {
  const picker = event.target.closest("[data-colour-for]");
  if (!picker) return;
  const field = document.getElementById(picker.dataset.colourFor);
  field.value = picker.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

if (stage) {
  let front = stage.querySelector("iframe");
  const back = front.cloneNode();
  back.removeAttribute("id");
  back.removeAttribute("src");
  back.name = "look-frame-behind";
  back.dataset.behind = "";
  back.title = "Live preview, loading";
  back.setAttribute("aria-hidden", "true");
  front.after(back);
  const button = stage.querySelector("[data-look-button]");
  let behind = back;
  let timer;
  let asked = 0;

  const refresh = () => {
    const form = document.getElementById("editor");
    if (!form) return;
    asked += 1;
    button.formTarget = behind.name;
    form.requestSubmit(button);
  };
  const shown = (event) => {
    if (event.target !== behind || !asked) return;
    [front, behind] = [behind, front];
    front.removeAttribute("data-behind");
    front.removeAttribute("aria-hidden");
    front.title = "Live preview";
    behind.dataset.behind = "";
    behind.setAttribute("aria-hidden", "true");
  };
  for (const frame of [front, back]) frame.addEventListener("load", shown);
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, 400);
  };
  document.addEventListener("input", (event) => { if (event.target.form?.id === "editor" && !event.target.matches("#note")) soon(); });
  document.body.addEventListener("document-changed", soon);
}
