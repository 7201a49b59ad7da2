// data-dialog-open="id" opens a modal dialog, data-dialog-close closes the one it is in;
// data-typed="12408" on an input enables the form's last button only when exactly that was typed.
export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  document.querySelectorAll("[popover]:popover-open").forEach((open) => open.hidePopover());
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) {
    event.preventDefault();
    openDialog(opener.dataset.dialogOpen);
    return;
  }
  const closer = event.target.closest("[data-dialog-close]");
  if (closer) closer.closest("dialog")?.close();
  if (event.target instanceof HTMLDialogElement && event.target.open) event.target.close();
});

const digits = (text) => text.replace(/[\s,.'’_]/g, "");

document.addEventListener("input", (event) => {
  const input = event.target.closest("[data-typed]");
  if (!input) return;
  const right = digits(input.value) === input.dataset.typed;
  const button = document.getElementById(input.dataset.enables);
  if (button) button.disabled = !right;
});
for (const input of document.querySelectorAll("[data-typed]")) {
  const button = document.getElementById(input.dataset.enables);
  if (button) button.disabled = digits(input.value) !== input.dataset.typed;
}
