// Rows of a list that are chosen for one action: the button appears with the first of them and says how many there are.
for (const form of document.querySelectorAll("form[data-choosing]")) {
  const boxes = [...form.querySelectorAll("tbody input[type=checkbox]")];
  const [bar, all] = [form.querySelector("[data-chosen]"), form.querySelector("[data-choose-all]")];
  if (!bar || !all) continue;
  const [button, whole] = [bar.querySelector("[data-chosen-words]"), all.querySelector("input")];

  const tell = () => {
    const many = boxes.filter((box) => box.checked).length;
    bar.hidden = many === 0;
    button.textContent = button.dataset.chosenWords.replace("#", many);
    [whole.checked, whole.indeterminate] = [many === boxes.length, many > 0 && many < boxes.length];
  };

  whole.addEventListener("change", () => {
    for (const box of boxes) box.checked = whole.checked;
    tell();
  });
  form.addEventListener("change", tell);
  all.hidden = false;
  tell();
  addEventListener("pageshow", tell); // a page that is gone back to has kept what was chosen
}
