// On a page without images: sends what an earlier page left behind, and then asks the server anew
// where the participant is. Answers count before anything else that is pressed here.
"use strict";

const { outbox, answers } = document.currentScript.dataset;
const leftBehind = new Outbox(outbox, sender(answers));
const PATIENCE_MS = 3000;

if (leftBehind.entries().length) {
  let pressed = null;
  const sent = leftBehind.drain(() => {}).then(() => pressed ?? location.reload());
  for (const form of document.querySelectorAll("form")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      pressed = form;
      await Promise.race([sent, new Promise((enough) => setTimeout(enough, PATIENCE_MS))]);
      form.submit();
    });
  }
}
