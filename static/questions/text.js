// White space alone is no answer, and how much room is left is said before it runs out.
"use strict";

(() => {
  const SAID_FROM = 100; // characters left

  for (const question of document.querySelectorAll('fieldset[data-kind="text"]')) enhance(question);

  function enhance(question) {
    const area = question.querySelector("textarea");
    const note = question.querySelector(".left");

    function check() {
      const blank = area.required && area.value.trim() === "";
      area.setCustomValidity(blank ? area.dataset.ask : "");
      const left = area.maxLength - area.value.length;
      note.textContent = left <= SAID_FROM && area.value ? `${note.dataset.words} ${left}` : "";
    }

    area.addEventListener("input", check);
    area.form.addEventListener("reset", () => setTimeout(check));
    check();
  }
})();
