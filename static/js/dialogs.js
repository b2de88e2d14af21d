// Links with data-dialog lead to a page that asks; here the question opens as a modal dialog.
"use strict";

for (const opener of document.querySelectorAll("[data-dialog]")) {
  const dialog = document.getElementById(opener.dataset.dialog);
  if (!dialog) continue;
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    if (!dialog.open) dialog.showModal();
  });
  dialog.querySelector("[data-dismiss]").addEventListener("click", (event) => {
    if (!dialog.matches(":modal")) return;
    event.preventDefault();
    dialog.close();
  });
}
