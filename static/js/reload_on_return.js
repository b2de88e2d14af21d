// A page that links to a tab of its own shows what came of it when somebody returns to it.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") location.reload();
});
