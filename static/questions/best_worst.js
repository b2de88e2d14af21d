// The best and the worst are two different images; the number keys go to the one not yet
// chosen, then to the one chosen last.
"use strict";

(() => {
  for (const question of document.querySelectorAll('fieldset[data-kind="best_worst"]')) {
    enhance(question);
  }

  function enhance(question) {
    const ends = [...question.querySelectorAll(".end")];
    const radios = ends.map((end) => [...end.querySelectorAll("input")]);
    const chosen = (end) => radios[end].find((radio) => radio.checked);
    const same = question.querySelector(".same");
    let last = 1;

    function update() {
      const clash = Boolean(chosen(0)) && chosen(0).value === chosen(1)?.value;
      for (const radio of radios.flat()) {
        radio.setCustomValidity(clash && radio.checked ? same.dataset.words : "");
      }
      question.classList.toggle("clash", clash);
      const words = clash ? same.dataset.words : "";
      if (same.textContent !== words) same.textContent = words;

      const keyed = [0, 1].find((end) => !chosen(end)) ?? last;
      radios.forEach((group, end) => {
        for (const radio of group) {
          if (end === keyed) radio.dataset.key = radio.value;
          else delete radio.dataset.key;
        }
      });
    }

    question.addEventListener("change", (event) => {
      last = radios.findIndex((group) => group.includes(event.target));
      update();
    });
    question.closest("form").addEventListener("reset", () => setTimeout(() => {
      last = 1;
      update();
    }));
    update();
  }
})();
