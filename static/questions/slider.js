// The line: a native range that has neither a thumb nor a value until it is touched, pressed or
// moved by a key. The typed number that stands in for it without this file is switched off.
"use strict";

(() => {
  const TO_THE_MIDDLE = new Set([
    "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown",
  ]);
  const SIDEWAYS_PX = 4; // a finger that moves less far may still be about to scroll

  for (const question of document.querySelectorAll('fieldset[data-kind="slider"]')) enhance(question);

  function enhance(question) {
    const line = question.querySelector(".line");
    const [typed, range] = line.querySelectorAll("input");
    const shown = question.querySelector(".value");
    const name = typed.name;
    const given = typed.value;

    typed.hidden = typed.disabled = true;
    range.hidden = range.disabled = false;
    question.classList.add("enhanced");

    function setAnswered(answered) {
      question.classList.toggle("answered", answered);
      range.name = answered ? name : ""; // without a name nothing is sent
      range.setCustomValidity(answered ? "" : line.dataset.ask);
      const words = answered ? String(Number(Number(range.value).toPrecision(4))) : "";
      range.setAttribute("aria-valuetext", words || line.dataset.unanswered);
      if (shown) shown.textContent = words;
    }

    const say = (...types) => {
      for (const type of types) range.dispatchEvent(new Event(type, { bubbles: true }));
    };

    range.addEventListener("input", () => setAnswered(true));
    range.addEventListener("blur", () => question.classList.remove("by-pointer"));
    range.form.addEventListener("reset", () => setAnswered(false));
    if (given !== "") range.value = given;
    setAnswered(given !== "");

    // The first arrow answers with the middle, which is where an untouched range stands.
    range.addEventListener("keydown", (event) => {
      question.classList.remove("by-pointer");
      if (range.name || !TO_THE_MIDDLE.has(event.key)) return;
      event.preventDefault();
      say("input", "change");
    });

    // Pointers are read here for every browser alike: some only let an existing thumb be
    // dragged. A finger that scrolls past leaves no answer.
    let pointer = null;

    function place(event) {
      const box = range.getBoundingClientRect();
      const thumb = parseFloat(getComputedStyle(line).getPropertyValue("--thumb"));
      let share = (event.clientX - box.left - thumb / 2) / (box.width - thumb);
      if (getComputedStyle(range).direction === "rtl") share = 1 - share;
      const [min, max] = [Number(range.min), Number(range.max)];
      range.value = min + Math.min(Math.max(share, 0), 1) * (max - min);
      say("input");
    }

    line.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus
    line.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button !== 0) return;
      const finger = event.pointerType === "touch";
      pointer = { id: event.pointerId, x: event.clientX, y: event.clientY, moves: !finger };
      line.setPointerCapture(event.pointerId);
      question.classList.add("by-pointer");
      range.focus({ preventScroll: true });
      if (pointer.moves) place(event);
    });
    line.addEventListener("pointermove", (event) => {
      if (pointer?.id !== event.pointerId) return;
      const across = Math.abs(event.clientX - pointer.x);
      pointer.moves ||= across > SIDEWAYS_PX && across > Math.abs(event.clientY - pointer.y);
      if (pointer.moves) place(event);
    });
    line.addEventListener("pointerup", (event) => {
      if (pointer?.id !== event.pointerId) return;
      pointer = null;
      place(event);
      say("change");
    });
    line.addEventListener("pointercancel", (event) => {
      if (pointer?.id !== event.pointerId) return;
      if (pointer.moves) say("change");
      pointer = null;
    });
  }
})();
