// "Copy" buttons: data-copy names the element whose text is copied.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    const words = button.textContent;
    button.textContent = button.dataset.copied ?? "Copied";
    setTimeout(() => (button.textContent = words), 2000);
  });
}
