// Images are ranked by pressing them in order; pressing one again, or Undo, takes it back. The
// lists that do the same without this file are hidden and hold what is sent.
"use strict";

(() => {
  for (const question of document.querySelectorAll('fieldset[data-kind="ranking"]')) enhance(question);

  function enhance(question) {
    const lists = [...question.querySelectorAll("select")];
    const press = question.querySelector(".by-press");
    const boxes = [...press.querySelectorAll("input")];
    const names = new Map(boxes.map((box) => [box, box.getAttribute("aria-label")]));
    const undo = press.querySelector(".undo");
    const status = press.querySelector("[role=status]");
    const filled = (text, box) =>
      text.replace("{image}", names.get(box)).replace("{rank}", order.indexOf(box) + 1);
    let order = lists
      .map((list) => boxes.find((box) => box.value === list.value))
      .filter((box, index, all) => box && all.indexOf(box) === index);

    question.querySelector(".by-list").hidden = true;
    press.hidden = false;
    for (const list of lists) {
      list.required = false; // what is hidden cannot be asked for
      for (const option of list.options) option.defaultSelected = false; // a reset empties it
    }
    for (const box of boxes) box.disabled = false;

    function update() {
      lists.forEach((list, index) => (list.value = order[index]?.value ?? ""));
      const missing = boxes.find((box) => !order.includes(box));
      for (const box of boxes) {
        const ranked = order.includes(box);
        box.checked = ranked;
        box.setAttribute("aria-label", ranked ? filled(press.dataset.placed, box) : names.get(box));
        box.setCustomValidity(box === missing ? press.dataset.ask : "");
        box.parentElement.querySelector(".rank").textContent = ranked ? order.indexOf(box) + 1 : "";
      }
      undo.setAttribute("aria-disabled", String(order.length === 0));
    }

    press.addEventListener("change", ({ target }) => {
      order = order.filter((box) => box !== target);
      if (target.checked) order.push(target);
      update();
      status.textContent = filled(target.checked ? press.dataset.placed : press.dataset.takenBack, target);
    });
    undo.addEventListener("click", () => order.at(-1)?.click());
    press.closest("form").addEventListener("reset", () => {
      order = [];
      status.textContent = "";
      update();
    });
    update();
  }
})();
